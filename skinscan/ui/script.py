"""The script of the pages; Streamlit runs it anew for every interaction."""

from skinscan.ui.practice.shell import show

show()
