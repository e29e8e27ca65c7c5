"""Modules of ours that a test imports find what they share where Ansible would put it."""

from pathlib import Path

import ansible.module_utils

import tripleo_update_plugin

ansible.module_utils.__path__.append(str(Path(tripleo_update_plugin.__file__).parent / "module_utils"))
