"""A real Mistral in one process: ``python real_mistral.py CONFIG``."""

import sys

import mistral.cmd  # noqa: F401 - chooses the threading backend, first of all
from mistral import config  # noqa: F401 - registers Mistral's options
from mistral.api import service as api_service
from mistral.db.v2 import api as db_api
from mistral.engine import engine_server
from mistral.rpc import base as rpc
from oslo_config import cfg
from oslo_log import log

log.register_options(cfg.CONF)
cfg.CONF(["--config-file", sys.argv[1]], project="mistral", prog="mistral")
log.setup(cfg.CONF, "mistral")
db_api.setup_db()
rpc.get_transport()
engine_server.get_oslo_service().start()
api = api_service.WSGIService("mistral_api")
api.start()
print("ready", flush=True)
api.wait()
