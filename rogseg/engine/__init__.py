"""The only place that knows MMEngine's Runner."""
