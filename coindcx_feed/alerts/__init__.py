"""Alerts: rules as data, notices from them, and the ways a notice leaves this process. No Streamlit, no evaluation."""
