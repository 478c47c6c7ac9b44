"""Lets TFX's cache know what the outputs of a step depend on beside inputs and parameters."""

from __future__ import annotations

from importlib import import_module

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.components.base import base_driver
from tfx.orchestration import metadata
from tfx.orchestration.portable import base_driver as portable_driver
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import driver_output_pb2

from components.component import Component
from components.tfx.names import CODE, FILES, LOST, PACKAGE, output_keys
from components.tfx.process import find_unseen
from components.tfx.properties import from_properties

_ENDED_WELL = (metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED)


class StepDriver(base_driver.BaseDriver, portable_driver.BaseDriver):
    """Driver of all components."""

    def __init__(self, metadata_handle: metadata.Metadata) -> None:
        base_driver.BaseDriver.__init__(self, metadata_handle)
        portable_driver.BaseDriver.__init__(self, metadata_handle)

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Adds fingerprints to the properties, and what makes a step run that was lost."""
        properties = execution_info.exec_properties
        component: Component = import_module(f"{properties[PACKAGE]}.component").COMPONENT
        made = {} if component.holds is Component.holds else self._made(component, execution_info)
        unseen = find_unseen(component.package, from_properties(component, properties), made)
        told = driver_output_pb2.DriverOutput()
        told.exec_properties[CODE].string_value = unseen["code"]
        told.exec_properties[FILES].string_value = unseen["files"]
        told.exec_properties[LOST].int_value = unseen["lost"]
        return told

    def _made(
        self, component: Component, execution_info: data_types.ExecutionInfo
    ) -> dict[int, dict[str, str]]:
        """Returns folders by output of what earlier executions of the step have made."""
        names = {key: name for name, key in output_keys(component).items()}
        (name,) = (
            context.name.field_value.string_value
            for context in execution_info.pipeline_node.contexts.contexts
            if context.type.name == "node"
        )
        with self._mlmd_connection as handle:
            store = handle.store
            node = store.get_context_by_type_and_name("node", name)
            executions = store.get_executions_by_context(node.id) if node else []
            ended = [one.id for one in executions if one.last_known_state in _ENDED_WELL]
            events = [
                event
                for event in (store.get_events_by_execution_ids(ended) if ended else [])
                if event.type == metadata_store_pb2.Event.OUTPUT
            ]
            uris = {
                one.id: one.uri
                for one in store.get_artifacts_by_id([event.artifact_id for event in events])
            }
        made: dict[int, dict[str, str]] = {}
        for event in events:
            key = event.path.steps[0].key
            made.setdefault(event.execution_id, {})[names[key]] = uris[event.artifact_id]
        return made
