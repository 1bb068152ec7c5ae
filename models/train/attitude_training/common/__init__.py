# SPDX-License-Identifier: MPL-2.0
"""Contains what the trainings of both models share."""
