"""What comes in: deliveries, delivery notes, and the codes on packs."""
