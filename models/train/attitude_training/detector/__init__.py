# SPDX-License-Identifier: MPL-2.0
"""Trains, exports and evaluates the face detector."""
