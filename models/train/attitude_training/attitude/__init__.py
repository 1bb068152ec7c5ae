# SPDX-License-Identifier: MPL-2.0
"""Trains, exports and evaluates the classifier of attitudes and emotions."""
