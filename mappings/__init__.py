"""What a system's records mean to us: YAML files and the compiler that turns them into SQL."""
