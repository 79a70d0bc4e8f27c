"""proto/ agrees with itself: examples with schemas, asyncapi.yaml and README.md with topics.json."""

import re

import contract
import jsonschema
import pytest
import yaml

PROTO = contract.PROTO
SCHEMAS = sorted(
    path.name.removesuffix(".schema.json")
    for path in PROTO.glob("*.schema.json")
    if path.name != "common.schema.json"
)
TOPICS = contract.table()["topics"]


def examples(kind):
    paths = sorted(PROTO.glob(f"examples/*/{kind}/*"))
    return [pytest.param(path, id=f"{path.parts[-3]}/{path.stem}") for path in paths]


def hold(path):
    """The example as a message on a topic of its schema; without one, to the schema alone."""
    schema = path.parts[-3]
    topics = [entry for entry in TOPICS if entry["schema"] == schema]
    if topics and not (path.stem == "empty" and path.parts[-2] == "invalid"):
        topic = re.sub(r"{\w+}", "x", topics[0]["topic"])
        contract.check(f"iot/{topic}", path.read_bytes())
    else:
        contract.validate(schema, path.read_bytes(), bare=schema == "command")


@pytest.mark.parametrize("schema", SCHEMAS)
def test_schema_is_one_and_has_examples_of_both_kinds(schema):
    jsonschema.Draft7Validator.check_schema(contract.load(f"{schema}.schema.json"))
    for kind in ("valid", "invalid"):
        assert list((PROTO / "examples" / schema / kind).iterdir()), kind


def test_every_folder_of_examples_has_a_schema():
    assert sorted(path.name for path in (PROTO / "examples").iterdir()) == SCHEMAS


@pytest.mark.parametrize("path", examples("valid"))
def test_valid_example_keeps_its_schema(path):
    hold(path)


@pytest.mark.parametrize("path", examples("invalid"))
def test_invalid_example_does_not(path):
    with pytest.raises(contract.ContractError):
        hold(path)


@pytest.mark.parametrize(
    "topic",
    [
        "iot",
        "iot/",
        "other/a/b/status",
        "iot/a/b",
        "iot/a/b/telemetry",
        "iot/a/b/telemetry/m/more",
        "iot/A/b/status",
        "iot/a//status",
        "iot/a/b/status\n",
        "iot/_query/other",
        "iot/_mine/b/status",
        "iot/_service/x",
        "iot/" + "a" * 65 + "/b/status",
    ],
)
def test_topic_outside_the_contract_is_an_error(topic):
    with pytest.raises(contract.ContractError, match="no topic of the contract"):
        contract.check(topic, (PROTO / "examples/status/valid/contract.json").read_bytes())


def test_root_may_hold_slashes():
    payload = (PROTO / "examples/status/valid/contract.json").read_bytes()
    contract.check("plant/north/a/b/status", payload, root="plant/north")


def test_empty_payload_is_taken_where_the_table_says_so():
    for entry in TOPICS:
        topic = "iot/" + re.sub(r"{\w+}", "x", entry["topic"])
        if entry["empty"]:
            contract.check(topic, b"")
        else:
            with pytest.raises(contract.ContractError):
                contract.check(topic, b"")


def test_echo_of_the_self_test_is_taken():
    contract.check("iot/_echo/_echo/telemetry/_echo", b'{"echo":true}')
    with pytest.raises(contract.ContractError):
        contract.check("iot/_echo/_echo/telemetry/_echo", b'{"ts":1}')


def test_readme_has_the_same_table():
    line = re.compile(r"\| `iot/(\S+)` \| (\w+) \| (\d) \| (.+?) \| \[([\w-]+)\]\((.+?)\): (.+?) \| (.+?) \|")
    rows = [line.fullmatch(row) for row in (PROTO / "README.md").read_text().splitlines()]
    found = [row.groups() for row in rows if row]
    assert found == [
        (
            entry["topic"],
            entry["retained"],
            str(entry["qos"]),
            entry["published_by"],
            entry["schema"],
            entry["schema"] + ".schema.json",
            entry["about"],
            entry["empty"] or "is an error",
        )
        for entry in TOPICS
    ]


@pytest.fixture(scope="module")
def asyncapi():
    return yaml.safe_load((PROTO / "asyncapi.yaml").read_text())


def resolve(document, reference):
    if not reference.startswith("#/"):
        return contract.load(reference.removeprefix("./"))
    node = document
    for part in reference[2:].split("/"):
        node = node[part]
    return node


def references(node):
    if isinstance(node, dict):
        for key, child in node.items():
            if key == "$ref":
                yield child
            else:
                yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def test_asyncapi_is_version_3_and_its_references_resolve(asyncapi):
    assert asyncapi["asyncapi"] == "3.0.0"
    found = list(references(asyncapi))
    assert len(found) > 50
    for reference in found:
        assert isinstance(resolve(asyncapi, reference), dict), reference


def test_asyncapi_names_every_schema_of_the_table(asyncapi):
    named = {reference for reference in references(asyncapi) if reference.endswith(".schema.json")}
    assert named == {f"./{schema}.schema.json" for schema in SCHEMAS if schema != "echo"}


def test_asyncapi_has_the_same_table(asyncapi):
    found = []
    for operation in asyncapi["operations"].values():
        channel = resolve(asyncapi, operation["channel"]["$ref"])
        (message,) = channel["messages"].values()
        payload = resolve(asyncapi, message["$ref"])["payload"]["$ref"]
        binding = operation["bindings"]["mqtt"]
        parameters = re.findall(r"{(\w+)}", channel["address"])
        assert parameters == list(channel.get("parameters", {}))
        found.append((channel["address"], payload, binding["qos"], binding["retain"]))
    assert found == [
        (
            "iot/" + entry["topic"],
            f"./{entry['schema']}.schema.json",
            entry["qos"],
            entry["retained"] == "yes",
        )
        for entry in TOPICS
    ]
