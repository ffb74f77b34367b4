"""Tools of MCP servers: programs beside this server, or elsewhere, which speak the Model Context Protocol."""
