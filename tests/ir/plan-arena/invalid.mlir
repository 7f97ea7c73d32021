// RUN: weft-opt --weft-plan-arena %s -verify-diagnostics -split-input-file

func.func @huge() {
  // expected-error @+1 {{a temporary of type 'memref<4294967296x4294967296xf64>' has more bytes than an address can name}}
  %a = memref.alloc() : memref<4294967296x4294967296xf64>
  return
}

// -----

// expected-error @+1 {{the temporaries of function 'huge_together' have more bytes than an address can name}}
func.func @huge_together(%x: f64) {
  %a = memref.alloc() : memref<1073741824x1073741800xf64>
  %b = memref.alloc() : memref<1073741824x1073741800xf64>
  linalg.fill ins(%x : f64) outs(%a : memref<1073741824x1073741800xf64>)
  linalg.fill ins(%x : f64) outs(%b : memref<1073741824x1073741800xf64>)
  memref.copy %a, %b : memref<1073741824x1073741800xf64> to memref<1073741824x1073741800xf64>
  return
}

// -----

func.func @unknown(%n: index) {
  // expected-error @+1 {{the size of this temporary is not known}}
  %a = memref.alloc(%n) : memref<2x?xf64>
  return
}

// -----

func.func @leaves(%n: index, %p: i1) -> memref<?xf64> {
  // expected-error @+1 {{a tape leaves the block that it is made in}}
  %a = memref.alloc(%n) : memref<?xf64>
  return %a : memref<?xf64>
}

// -----

// Each thread would need as much of its stack.
func.func @wide(%f: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // expected-error @+1 {{a step of this loop, which threads share, has temporaries of more than 524288 bytes, such as one of type 'memref<512x512xf32>'; have it compute smaller tiles}}
  scf.for %i = %c0 to %c4 step %c1 {
    %a = memref.alloc() : memref<512x512xf32>
    linalg.fill ins(%f : f32) outs(%a : memref<512x512xf32>)
  } {weft.parallel, weft.rows}
  return
}
