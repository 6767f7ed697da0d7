"""What a server runs: ``streamlit run app.py``, or any ASGI server with ``app:app``."""

import streamlit as st

from skinscan.ui.forgetting import forgetting
from skinscan.ui.server import keep_import_path, keep_uploads_in_memory, script_path
from skinscan.ui.web.doors import routes
from skinscan.ui.web.gate import middleware

keep_import_path()
keep_uploads_in_memory()
app = st.App(script_path(), routes=routes(), middleware=middleware(), lifespan=forgetting)
