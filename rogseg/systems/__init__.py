"""What is evaluated: trained networks of any kind behind one interface."""

from rogseg.systems.base import System, SystemChannel, SystemClass, SystemIdentity

__all__ = ["System", "SystemChannel", "SystemClass", "SystemIdentity"]
