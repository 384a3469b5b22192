#!/usr/bin/env python3
"""Writes core/pow10.h: 10^k for k = -292..324 as 128-bit fractions, rounded up.

10^k = g * 2^(floor(log2(10^k)) - 127), 2^127 <= g < 2^128. Used by core/number.c to print doubles (Schubfach).
Run: tools/pow10_table.py > core/pow10.h
"""
LOW, HIGH = -292, 324


def fraction(k: int) -> int:
    if k >= 0:
        value = 10**k
        shift = value.bit_length() - 128
        return -(-value >> shift) if shift > 0 else value << -shift
    value = 10**-k
    shift = value.bit_length() - 1 + 128  # 2^shift / value has 128 bits: 10^-k is no power of two
    return -(-(1 << shift) // value)


print("/* pow10.h: 10^k for k = -292..324 as 128-bit fractions, rounded up.")
print(" * Written by tools/pow10_table.py, which says what they are. */")
print("#ifndef CORE_POW10_H\n#define CORE_POW10_H\n\n#include <stdint.h>\n")
print(f"enum {{ POW10_LOW = {LOW}, POW10_HIGH = {HIGH} }};\n")
print("/* clang-format off */")
print(f"static const uint64_t pow10_fractions[{HIGH - LOW + 1}][2] = {{")
for k in range(LOW, HIGH + 1):
    g = fraction(k)
    assert g.bit_length() == 128, k
    print(f"    {{0x{g >> 64:016x}, 0x{g & (2**64 - 1):016x}}},")
print("};\n/* clang-format on */\n\n#endif")
