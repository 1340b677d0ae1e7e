"""Questions to the events: filters, changes, statistics and exports. No Streamlit and no sockets here."""
