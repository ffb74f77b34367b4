"""How many people a fleet of servers can talk with: from what one machine was measured to do, to a million sessions."""
