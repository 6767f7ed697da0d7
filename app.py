"""The page that `skinscan demo` opens; Streamlit runs this file anew for every interaction."""

from skinscan.ui.page import show

show()
