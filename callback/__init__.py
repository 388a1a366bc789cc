"""The calls we owe: who is to be rung, when, by which way, how often; and the dialer that rings them."""
