"""The page that Streamlit shows. Nothing here measures anything.

Rooms: `server` (how Streamlit is started), `theme` (colours), `strings` (every word on
screen), `course` (photos to series, pure), `scoring` (bytes to a result or to words),
`pictures`, `charts` (drawing), `state` (what one visitor holds), and the parts of the page:
`start`, `overview`, `detail`, `capture`, put together in `page`.

Photos of faces live in the visitor's own session and nowhere else. They reach the browser
inside the page's own connection, never by a URL: Streamlit serves the bytes of ``st.image``
and ``st.download_button`` to whoever knows the address.
"""
