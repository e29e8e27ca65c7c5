"""Looking after phases whose process died, as a Mistral action."""

from typing import Any

from mistral_lib import actions


class Tend(actions.Action):  # type: ignore[misc]
    """See to all phases on this executor's machine whose process died; they are begun anew, or their result is told.

    The output has 'tended': [{job, done}]. Changes nothing where all is well.
    """

    def run(self, context: Any) -> dict[str, list[dict[str, str]]]:
        from dataclasses import asdict

        from oslo_config import cfg

        from tripleo_update_plugin import conf
        from tripleo_update_plugin.executor.jobs import tending

        return {"tended": [asdict(each) for each in tending.tend(conf.register(cfg.CONF).work_dir)]}
