"""Infers a schema from statistics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.statistics.measures import (
    LABEL_KINDS,
    MODEL_KINDS,
    Values,
    common_of,
    kind_of,
    name_of,
    pool,
    read_measures,
)
from components.statistics.schema_rules import SchemaRules
from components.statistics.schemas import SERVING, TRAINING, check_ranges, schema_type
from trainer.registry import unknown

_STRING = statistics_pb2.FeatureNameStatistics.STRING
_FLOAT = statistics_pb2.FeatureNameStatistics.FLOAT


def infer_schema(datasets: Mapping[str, Any], rules: SchemaRules) -> Any:
    """Returns a `Schema` that the examples fit.

    Args:
        datasets: `DatasetFeatureStatistics` by split.
        rules: What is asked of it.

    Raises:
        ValueError: if a range is asked for that cannot be.
    """
    check_ranges(rules.ranges)
    asked = [
        datasets[split]
        for split in rules.splits
        if split in datasets and datasets[split].num_examples
    ]
    features: dict[str, list[Any]] = {}
    for dataset in asked or datasets.values():
        for feature in dataset.features:
            features.setdefault(name_of(feature), []).append(feature)
    for name in rules.ranges:
        numbers = [of for of, found in features.items() if found[0].type == _FLOAT]
        if name not in numbers:
            raise ValueError(unknown("column of numbers with a range", name, numbers))
    schema = schema_pb2.Schema(default_environment=[TRAINING, SERVING])
    for name, found in features.items():
        _infer(schema.feature.add(name=name), found, rules)
    return schema


def _infer(feature: Any, found: Sequence[Any], rules: SchemaRules) -> None:
    """Fills a feature of a schema from its statistics in one or several splits."""
    first = found[0]
    kind = kind_of(first)
    feature.type = schema_type(first)
    filled = [common for one in found if (common := common_of(one)).num_non_missing]
    feature.value_count.min = min((one.min_num_values for one in filled), default=1)
    feature.value_count.max = max((one.max_num_values for one in filled), default=1)
    if kind:
        feature.annotation.tag.append(kind)
    _infer_presence(feature, found, rules)
    if first.HasField("validation_derived_source"):
        feature.validation_derived_source.CopyFrom(first.validation_derived_source)
        feature.lifecycle_stage = schema_pb2.VALIDATION_DERIVED
    elif kind and kind not in MODEL_KINDS | LABEL_KINDS:
        feature.lifecycle_stage = schema_pb2.DISABLED
    if kind == "image":
        feature.image_domain.minimum_supported_image_fraction = 1 - rules.max_broken
    elif kind == "text":
        feature.natural_language_domain.SetInParent()
    elif first.type == _FLOAT:
        _infer_range(feature, found, rules)
    elif first.type == _STRING and kind in ("category", *LABEL_KINDS, ""):
        _infer_domain(feature, found, rules)
    if kind in LABEL_KINDS:
        feature.not_in_environment.append(SERVING)
    if kind in ("category", *LABEL_KINDS):
        feature.drift_comparator.infinity_norm.threshold = rules.drift_threshold
        feature.skew_comparator.infinity_norm.threshold = rules.skew_threshold


def _infer_presence(feature: Any, found: Sequence[Any], rules: SchemaRules) -> None:
    common = [common_of(one) for one in found]
    filled = sum(one.num_non_missing for one in common)
    rows = filled + sum(one.num_missing for one in common)
    kind = kind_of(found[0])
    if not filled or (kind and kind not in MODEL_KINDS | LABEL_KINDS):
        return
    feature.presence.min_count = 1
    least = filled / rows
    if kind not in LABEL_KINDS:
        least = max(0.0, least - rules.presence_margin)
    if least:
        # Rounded down, so that what was seen is enough.
        feature.presence.min_fraction = math.floor(least * 1e6) / 1e6


def _infer_range(feature: Any, found: Sequence[Any], rules: SchemaRules) -> None:
    low, high = rules.ranges.get(feature.name, (None, None))
    filled = [one.num_stats for one in found if common_of(one).num_non_missing]
    if rules.infer_ranges and feature.name not in rules.ranges and filled:
        low, high = min(stats.min for stats in filled), max(stats.max for stats in filled)
    feature.float_domain.SetInParent()
    if low is not None:
        feature.float_domain.min = low
    if high is not None:
        feature.float_domain.max = high


def _infer_domain(feature: Any, found: Sequence[Any], rules: SchemaRules) -> None:
    """Lists the values, where all were counted and there are few."""
    measured = [measures["value"] for one in found if "value" in (measures := read_measures(one))]
    if not measured:
        return
    values = pool(measured)
    assert isinstance(values, Values)
    filled = sum(common_of(one).num_non_missing for one in found)
    limited = kind_of(found[0]) not in LABEL_KINDS
    if values.rows < filled or not values.complete:
        return
    if limited and len(values.counts) > rules.max_domain_size:
        return
    feature.string_domain.value.extend(sorted(values.counts))
