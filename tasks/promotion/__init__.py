"""Promotion: the gate's verdict, and MLflow's model registry."""
