"""What every farm and every user of farms shares: no pytest here, and no farm by name."""
