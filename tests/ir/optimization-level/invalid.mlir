// RUN: weft-opt --weft-check-stage="stage=linalg legal=func" --split-input-file %s -verify-diagnostics

// expected-error @+1 {{'weft.optimization_level' is 4 : i64, but must be an integer from 0 to 3}}
module attributes {weft.optimization_level = 4 : i64} {}

// -----

// expected-error @+1 {{'weft.optimization_level' is "fast", but must be}}
module attributes {weft.optimization_level = "fast"} {}

// -----

// expected-error @+1 {{'weft.optimization_level' is 18446744073709551616 : i128, but must be}}
module attributes {weft.optimization_level = 18446744073709551616 : i128} {}
