"""The built-in device farm: a world of devices, apps and sessions that farms' wires put on the network."""
