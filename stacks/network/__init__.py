"""The network stack: VPC, subnets, endpoints."""
