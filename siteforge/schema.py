"""The catalogue's JSON Schema, for editors: generated from the models that check it.

It is a help while typing; the models decide. What a schema can't say (the same name twice, requests over
limits, fields that exclude each other, the bounds of a quantity, rules of YAML itself) `siteforge validate` does.
"""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from siteforge.tenant_spec import Catalogue


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, for what a person writes: a key without a value is a mistake, and so is null."""

    def generate(self, schema: core_schema.CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Defaults that say something: not None, not a mapping of Nones."""
        if isinstance(schema.get("default"), str | int):
            return super().default_schema(schema)
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """A mapping with any keys of a kind. Pydantic's own would let all other keys pass, with any value."""
        keys, values = schema["keys_schema"], schema["values_schema"]
        return {
            "type": "object",
            "propertyNames": self.generate_inner(keys),
            "additionalProperties": self.generate_inner(values),
        }

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False


def schema() -> dict[str, Any]:
    """The schema (json-schema.org, draft 2020-12), with a description of every field."""
    return Catalogue.model_json_schema(schema_generator=_Generator)
