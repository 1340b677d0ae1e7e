"""What the pages are built of. Only this room, ``app.py`` and ``pages/`` import Streamlit."""
