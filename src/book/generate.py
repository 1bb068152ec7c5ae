# SPDX-License-Identifier: MPL-2.0
"""Generates the reference data of the documentation site: elements, command lines and record schemas."""

import itertools
import json
import pathlib
import re
import subprocess
import textwrap
from collections.abc import Iterator
from typing import Any

# The beginning of a line of a help with an option or argument.
OPTION = r" {2,6}[-<\[]"
# Headings of a help whose parts are something else.
FIXED_HEADINGS = ("Usage:", "Commands:", "Examples:")


def generate(request: str, program: str, root: pathlib.Path, level: int) -> list[str]:
    """Returns Markdown for a request such as `element faceattitude`; its headings are below `level`."""
    kind, _, name = request.partition(" ")
    match kind:
        case "element":
            return list(describe_element(name, level + 1))
        case "commands":
            return list(describe_commands(program, level + 1))
        case "schema":
            return list(describe_schema(json.loads((root / name).read_text(encoding="utf-8")), level + 1))
    raise ValueError(f"cannot generate {request!r}; use element NAME, commands or schema FILE")


def describe_element(name: str, level: int) -> Iterator[str]:
    """Describes pads, the types and ranges of properties, and signals, as GObject knows them."""
    import gi

    gi.require_version("Gst", "1.0")
    from gi.repository import GObject, Gst

    if not Gst.is_initialized():
        Gst.init(None)
    factory = Gst.ElementFactory.find(name)
    if not factory:
        raise LookupError(f"GStreamer does not find {name}; set GST_PLUGIN_PATH to the folder of the plugin")
    element = factory.create(None)
    yield from ["", f"{'#' * level} Pads of {name}", "", "| pad | direction | presence |", "|---|---|---|"]
    for template in factory.get_static_pad_templates():
        yield f"| `{template.name_template}` | {template.direction.value_nick} | {template.presence.value_nick} |"
    yield from ["", f"{'#' * level} Types and ranges of {name}", "", "| property | type | values |", "|---|---|---|"]
    for spec in element.list_properties():
        if spec.owner_type != GObject.type_from_name("GstObject") and spec.owner_type != GObject.GObject.__gtype__:
            yield f"| `{spec.name}` | `{spec.value_type.name}` | {describe_values(spec)} |"
    signals = [GObject.signal_query(number) for number in GObject.signal_list_ids(element.__gtype__)]
    if signals:
        yield from ["", f"{'#' * level} Signals of {name}", "", "| signal | kind | returns |", "|---|---|---|"]
        for signal in signals:
            kind = "action" if signal.signal_flags & GObject.SignalFlags.ACTION else "notification"
            yield f"| `{signal.signal_name}` | {kind} | `{signal.return_type.name}` |"


def describe_values(spec: Any) -> str:
    """Describes the values that a property can have."""
    if hasattr(spec, "enum_class"):
        return ", ".join(f"`{value.value_nick}`" for value in spec.enum_class.__enum_values__.values())
    if spec.value_type.name == "gboolean":
        return "`true`, `false`"
    if hasattr(spec, "minimum") and hasattr(spec, "maximum"):
        return f"{format_number(spec.minimum)} to {format_number(spec.maximum)}"
    return ""


def format_number(number: float) -> str:
    return f"{number:.3g}" if isinstance(number, float) else str(number)


def describe_commands(program: str, level: int) -> Iterator[str]:
    """Describes every subcommand, as its help does."""
    overview = read_help(program)
    names = re.findall(r"^  (\S+)", dict(split_help(overview))["Commands"], re.MULTILINE)
    for name in names:
        if name != "help":
            yield from describe_command(name, read_help(program, name), level)


def read_help(*command: str) -> str:
    result = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    return result.stdout


def split_help(text: str) -> Iterator[tuple[str, str]]:
    """Splits a help into its parts with their headings; the parts of prose have none."""
    lines = text.replace("\nUsage: ", "\nUsage:\n  ").splitlines()
    heading, part = "", []
    for previous, line, following in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        is_heading = not previous and re.fullmatch(r"\S.*:", line) and re.match(OPTION, following)
        is_prose = heading and line and not line.startswith(" ")
        if is_heading or line in FIXED_HEADINGS or is_prose:
            yield heading, "\n".join(part)
            heading, part = (
                ("", [line]) if is_prose and not is_heading and line not in FIXED_HEADINGS else (line[:-1], [])
            )
        else:
            part.append(line)
    yield heading, "\n".join(part)


def describe_command(name: str, text: str, level: int) -> Iterator[str]:
    yield from ["", f"{'#' * level} gst-attitude {name}", ""]
    for heading, part in split_help(text):
        match heading:
            case "":
                yield from format_paragraphs(part)
            case "Usage":
                yield from ["```text", *(line.strip() for line in part.splitlines() if line.strip()), "```", ""]
            case "Examples":
                code = textwrap.dedent(part).strip().splitlines()
                yield from ["Examples:", "", "```sh", *code, "```", ""]
            case _:
                yield from [f"{heading}:", ""]
                yield from format_options(part)


def format_options(text: str) -> Iterator[str]:
    """Formats options as a list of definitions; descriptions are indented further than their options."""
    for option in re.split(rf"^(?={OPTION})", text, flags=re.MULTILINE):
        term, _, description = option.strip().partition("\n")
        if term:
            term, _, beginning = term.partition("  ")
            yield f"`{term}`"
            paragraphs = re.split(r"\n\s*\n", f"{beginning}\n{description}".strip())
            for number, paragraph in enumerate(paragraphs):
                yield f"{'  ' if number else ': '}{escape(join(paragraph))}\n"


def format_paragraphs(text: str) -> Iterator[str]:
    """Formats text in which indented lines are preformatted."""
    for paragraph in re.split(r"\n{2,}", text.strip("\n")):
        for is_code, lines in itertools.groupby(paragraph.splitlines(), lambda line: line.startswith("  ")):
            if is_code:
                yield from ["```text", *textwrap.dedent("\n".join(lines)).splitlines(), "```", ""]
            else:
                yield from [escape(join(" ".join(lines))), ""]


def join(text: str) -> str:
    return " ".join(text.split())


def escape(text: str) -> str:
    """Escapes what Markdown would interpret, except code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_<>\[\]|#`])", r"\\\1", part) for part in parts)


def describe_schema(schema: dict[str, Any], level: int) -> Iterator[str]:
    """Describes a JSON Schema: a table for the object, and one per definition."""
    yield from ["", escape(schema["description"]), ""]
    yield from describe_object(schema, schema)
    for name, definition in schema.get("$defs", {}).items():
        yield from ["", f"{'#' * level} {name} {{#{anchor(schema, name)}}}", ""]
        if description := definition.get("description"):
            yield from [escape(description), ""]
        if "properties" in definition:
            yield from describe_object(definition, schema)
        else:
            yield f"Type: {describe_type(definition, schema)}."


def anchor(schema: dict[str, Any], name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{schema['title']} {name}".lower())


def describe_object(definition: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    yield from ["| field | type | content |", "|---|---|---|"]
    yield from describe_fields(definition, "", schema)


def describe_fields(definition: dict[str, Any], prefix: str, schema: dict[str, Any]) -> Iterator[str]:
    """Yields a row per field, those of nested objects with the path to them."""
    required = definition.get("required", [])
    for name, field in definition.get("properties", {}).items():
        optional = "" if name in required else ", optional"
        content = escape(join(field.get("description", "")))
        yield f"| `{prefix}{name}` | {describe_type(field, schema)}{optional} | {content} |"
        nested = field.get("items", field)
        if isinstance(nested, dict):
            yield from describe_fields(nested, f"{prefix}{name}{'[]' if 'items' in field else ''}.", schema)


def describe_type(field: dict[str, Any], schema: dict[str, Any]) -> str:
    """Describes the type of a field, its values and its range."""
    if reference := field.get("$ref"):
        name = reference.rsplit("/", 1)[1]
        return f"[`{name}`](#{anchor(schema, name)})"
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    for alternatives in ("oneOf", "anyOf"):
        if alternatives in field:
            return " or ".join(describe_type(option, schema) for option in field[alternatives])
    kinds = field.get("type", "any")
    text = " or ".join(kinds) if isinstance(kinds, list) else kinds
    if isinstance(field.get("items"), dict) and "properties" not in field["items"]:
        text += f" of {describe_type(field['items'], schema)}"
    match field.get("minimum"), field.get("maximum"):
        case None, None:
            pass
        case low, None:
            text += f", at least {low}"
        case None, high:
            text += f", at most {high}"
        case low, high:
            text += f", {low} to {high}"
    return text
