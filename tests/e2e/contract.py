"""proto/ as a library: check(topic, payload) holds one captured message to the contract.

Stricter than json.loads in what the readers of libshared are strict about: duplicate keys, NaN, numbers beyond a
double, U+0000, depth.
"""

import functools
import json
import math
import re
from pathlib import Path

import jsonschema

PROTO = Path(__file__).resolve().parents[2] / "proto"
DEPTH_MAX = 16
SPACE = " \t\r\n"


class ContractError(AssertionError):
    """A message that does not keep the contract; the text says which, where and why."""


def check(topic, payload, root="iot"):
    """Raises ContractError unless `topic` is one of the suite's and `payload` (bytes) keeps its schema."""
    entry = find_topic(topic, root)
    if entry is None:
        raise ContractError(f"{topic}: no topic of the contract")
    if payload == b"" and entry.get("empty"):
        return
    try:
        validate(entry["schema"], payload, bare=entry.get("bare", False))
    except ContractError as error:
        raise ContractError(f"{topic}: {error} in {payload[:300]!r}") from None


def validate(schema, payload, bare=False):
    """Raises ContractError unless `payload` keeps proto/<schema>.schema.json."""
    document = parse_bare(payload) if bare else parse(payload)
    error = jsonschema.exceptions.best_match(validator(schema).iter_errors(document))
    if error:
        place = "".join(f"[{part!r}]" for part in error.absolute_path)
        raise ContractError(f"{schema}{place}: {error.message[:300]}")


@functools.lru_cache(maxsize=None)
def table():
    return json.loads((PROTO / "topics.json").read_text())


@functools.lru_cache(maxsize=None)
def patterns():
    level = table()["level"]
    return [
        (re.compile(re.sub(r"{\w+}", f"(?:{level})", entry["topic"])), entry)
        for entry in table()["topics"]
    ]


def find_topic(topic, root="iot"):
    """The entry of topics.json that takes the topic, or None."""
    if not topic.startswith(root + "/"):
        return None
    below = topic[len(root) + 1 :]
    if table()["echo"]["level"] in below.split("/"):
        return table()["echo"]
    for pattern, entry in patterns():
        if pattern.fullmatch(below):
            return entry
    return None


def parse(payload):
    """Strict JSON (RFC 8259, RFC 7493) or ContractError."""
    try:
        document = json.loads(
            payload.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_no_key_twice,
        )
        _check_tree(document, 0)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"not JSON: {error}") from None
    return document


def parse_bare(payload):
    """A command: a bare value or JSON."""
    try:
        text = payload.decode("utf-8").strip(SPACE)
    except UnicodeDecodeError as error:
        raise ContractError(f"not UTF-8: {error}") from None
    if not text:
        raise ContractError("empty")
    number = re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text)
    if text[0] in '{["' or number or text in ("true", "false", "null"):
        return parse(text.encode())
    return text


def _refuse_constant(word):
    raise ValueError(f"{word} is no number")


def _finite(text):
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is beyond a double")
    return number


def _no_key_twice(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return members


def _check_tree(node, depth):
    if isinstance(node, str) and "\0" in node:
        raise ValueError("U+0000 in a text")
    if not isinstance(node, (dict, list)):
        return
    if depth == DEPTH_MAX:
        raise ValueError(f"nested deeper than {DEPTH_MAX}")
    for key, child in node.items() if isinstance(node, dict) else enumerate(node):
        _check_tree(key, depth + 1)
        _check_tree(child, depth + 1)


def load(reference, base=PROTO):
    """What a $ref such as "common.schema.json#/definitions/name" points to, with its own refs resolved."""
    name, _, pointer = reference.partition("#")
    node = json.loads((base / name).read_text())
    for part in filter(None, pointer.split("/")):
        node = node[part]
    return expand(node, name, base)


def expand(node, name, base=PROTO):
    """The node of file `name` with every $ref replaced by what it points to. No schema refers to itself."""
    if isinstance(node, list):
        return [expand(child, name, base) for child in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        reference = node["$ref"]
        return load(name + reference if reference.startswith("#") else reference, base)
    return {key: expand(child, name, base) for key, child in node.items()}


def _pattern(_validator, pattern, instance, _schema):
    """ECMA-262's `$` is the very end; Python's also stands before a last newline."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


Validator = jsonschema.validators.extend(jsonschema.Draft7Validator, {"pattern": _pattern})


@functools.lru_cache(maxsize=None)
def validator(schema):
    return Validator(load(f"{schema}.schema.json"))
