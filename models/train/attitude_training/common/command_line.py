# SPDX-License-Identifier: MPL-2.0
"""Creates the parsers of command lines."""

import argparse


def parser(module_doc: str) -> argparse.ArgumentParser:
    """Returns a parser whose help is the docstring of the step's module."""
    return argparse.ArgumentParser(description=module_doc, formatter_class=argparse.RawDescriptionHelpFormatter)
