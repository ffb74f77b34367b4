"""As much of JSON Schema 2020-12 as docs/protocol.schema.json uses; any other keyword is an error."""

from typing import Any

TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
TEXT = {"$schema", "$id", "title", "description", "default", "$defs"}
"""Keywords that allow and forbid nothing."""


class Schema:
    """A schema document, and whether values fit its definitions."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def fits(self, value: Any, name: str) -> bool:
        """Return whether ``value`` fits the definition ``name``."""
        return self._fits(value, self._document["$defs"][name])

    def _fits(self, value: Any, schema: dict[str, Any]) -> bool:
        return all(self._obeys(value, word, rule, schema) for word, rule in schema.items() if word not in TEXT)

    def _obeys(self, value: Any, word: str, rule: Any, schema: dict[str, Any]) -> bool:
        match word:
            case "$ref":
                return self.fits(value, rule.removeprefix("#/$defs/"))
            case "oneOf":
                return sum(self._fits(value, option) for option in rule) == 1
            case "anyOf":
                return any(self._fits(value, option) for option in rule)
            case "type":
                # To Python a truth is a number.
                return isinstance(value, TYPES[rule]) and (rule == "boolean" or not isinstance(value, bool))
            case "const":
                return bool(value == rule)
            case "enum":
                return value in rule
            case "minimum":
                return not isinstance(value, int | float) or value >= rule
            case "maximum":
                return not isinstance(value, int | float) or value <= rule
            case "minLength":
                return not isinstance(value, str) or len(value) >= rule
            case "maxLength":
                return not isinstance(value, str) or len(value) <= rule
            case "required":
                return not isinstance(value, dict) or value.keys() >= set(rule)
            case "maxProperties":
                return not isinstance(value, dict) or len(value) <= rule
            case "properties":
                known = value.keys() & rule.keys() if isinstance(value, dict) else ()
                return all(self._fits(value[key], rule[key]) for key in known)
            case "additionalProperties":
                others = value.keys() - schema.get("properties", {}).keys() if isinstance(value, dict) else ()
                return all(self._fits(value[key], rule) for key in others)
            case "propertyNames":
                return not isinstance(value, dict) or all(self._fits(key, rule) for key in value)
            case "minItems":
                return not isinstance(value, list) or len(value) >= rule
            case "maxItems":
                return not isinstance(value, list) or len(value) <= rule
            case "prefixItems":
                pairs = zip(value, rule, strict=False) if isinstance(value, list) else ()
                return all(self._fits(item, one) for item, one in pairs)
            case "items":
                return not isinstance(value, list) or all(self._fits(item, rule) for item in value)
        raise NotImplementedError(f"keyword {word!r}")
