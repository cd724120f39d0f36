"""The programs that compute an exported model's graphs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tandem.core.errors import InputError, reason_of
from tandem.core.extras import check_extra
from tandem.inference.exported.description import GraphSpec
from tandem.inference.exported.onnx_file import refers_to_files
from tandem.inference.files import BundleFiles

Tensors = Mapping[str, Tensor]
Graph = Callable[[Tensors], dict[str, Tensor]]
"""Tensors by the names of a graph's inputs -> tensors by the names of its outputs."""


class Runtime(ABC):
    """Opens graphs on a device."""

    remedy = ""
    """What else can be done where it does not compute on a GPU, after a comma."""

    @abstractmethod
    def device_types(self) -> tuple[str, ...]:
        """Where it can compute; its inputs and outputs are on the host wherever that is."""

    @abstractmethod
    def open(self, files: BundleFiles, spec: GraphSpec, device: torch.device) -> Graph:
        """A graph's file, ready to be called.

        :raises InputError: if it cannot be read.
        """


class OnnxRuntime(Runtime):
    """Microsoft's runtime for ONNX; libraries of operators are never loaded from a folder.

    :raises InputError: if it is not installed.
    """

    remedy = ", or install onnxruntime-gpu in the place of onnxruntime"
    PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}  # noqa: RUF012

    def __init__(self) -> None:
        check_extra(
            "onnx", "onnxruntime", used_by="An export to ONNX", otherwise="use the run itself"
        )

    def device_types(self) -> tuple[str, ...]:
        """Those that the installed build has."""
        import onnxruntime

        has = onnxruntime.get_available_providers()
        return tuple(kind for kind, provider in self.PROVIDERS.items() if provider in has)

    def open(self, files: BundleFiles, spec: GraphSpec, device: torch.device) -> Graph:
        """A session with as many threads as torch has."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # else its idle threads take the cores from torch's, which search: half the speed
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_mem_pattern = False  # which would be kept for each of thousands of shapes
        options.log_severity_level = 3
        path, content = files.folder / spec.file, files.read(spec.file)
        try:
            if refers_to_files(content):
                raise ValueError("its weights are in other files")
            session = onnxruntime.InferenceSession(
                content, options, providers=[self.PROVIDERS[device.type]]
            )
        except Exception as error:  # its errors have no common base
            raise _unreadable(path, error) from error
        takes = tuple(one.name for one in session.get_inputs())
        gives = tuple(one.name for one in session.get_outputs())
        if (takes, gives) != (spec.inputs, spec.outputs):
            names = f"it takes {', '.join(takes)} and gives {', '.join(gives)}"
            raise _unreadable(path, ValueError(names))

        def call(given: Tensors) -> dict[str, Tensor]:
            arrays = {name: given[name].contiguous().numpy() for name in takes}
            try:
                results = session.run(None, arrays)
            except Exception as error:
                raise _failed(path, error) from error
            return dict(zip(gives, map(torch.from_numpy, results), strict=True))

        return call


class TorchPrograms(Runtime):
    """Programs that ``torch.export`` wrote, whose files can hold code: they must be trusted."""

    def device_types(self) -> tuple[str, ...]:
        """Their constants are where they were exported."""
        return ("cpu",)

    def open(self, files: BundleFiles, spec: GraphSpec, device: torch.device) -> Graph:
        """A program as a module."""
        path, content = files.folder / spec.file, files.read(spec.file)
        try:
            program = torch.export.load(BytesIO(content))
        except Exception as error:
            raise _unreadable(path, error) from error
        module: Any = program.module()

        def call(given: Tensors) -> dict[str, Tensor]:
            try:
                results = module(*(given[name] for name in spec.inputs))
            except Exception as error:
                raise _failed(path, error) from error
            return dict(zip(spec.outputs, results, strict=True))

        return call


RUNTIMES: dict[str, type[Runtime]] = {"onnx": OnnxRuntime, "torch": TorchPrograms}
"""By the format that they compute."""


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        f"The graph {path} cannot be used ({reason_of(error)[:200]}); export the run again."
    )


def _failed(path: Path, error: Exception) -> InputError:
    return InputError(
        f"The graph {path} fails ({reason_of(error)[:200]}); give a shorter source or smaller "
        "batches, or export the run again."
    )
