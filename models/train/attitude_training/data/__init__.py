# SPDX-License-Identifier: MPL-2.0
"""Loads the data sets and defines their splits."""
