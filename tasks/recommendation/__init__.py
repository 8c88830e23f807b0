"""Which training method suits a situation, and why."""
