// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrices of a warp: ldmatrix, stmatrix and mma.sync.

#include "lowering/emulator/Floats.h"
#include "lowering/emulator/Gather.h"
#include "lowering/emulator/Handlers.h"
#include "llvm/ADT/STLExtras.h"

using namespace weft::emulator;

namespace {

//===----------------------------------------------------------------------===//
// 8 x 8 matrices of 16 bits, whose rows lanes give the addresses of
//===----------------------------------------------------------------------===//

constexpr size_t rowBytes = 16;

/// Where the two elements of a lane's register are.
struct Element {
  int row, column;
};
Element elementOf(int lane, int half, bool isTransposed) {
  int along = lane & 3, across = lane >> 2;
  return isTransposed ? Element{along * 2 + half, across}
                      : Element{across, along * 2 + half};
}

char *rowOf(const Site &site, const Lanes &lanes, int matrix, int row,
            Access kind) {
  int lane = 8 * matrix + row;
  auto *address = lanes.operand<char *>(lane, 0);
  block->touch(site, lanes.first[lane], address, rowBytes, rowBytes, kind);
  return address;
}

void loadMatrices(const Site &site, const Lanes &lanes) {
  bool isTransposed = llvm::StringRef(site.name).contains(".trans");
  for (int matrix = 0; matrix < site.numbers[2]; ++matrix) {
    const uint16_t *rows[8];
    for (int row = 0; row < 8; ++row)
      rows[row] = reinterpret_cast<uint16_t *>(
          rowOf(site, lanes, matrix, row, Access::Load));
    for (int lane = 0; lane < 32; ++lane)
      for (int half = 0; half < 2; ++half) {
        auto [row, column] = elementOf(lane, half, isTransposed);
        lanes.result<uint16_t>(lane)[2 * matrix + half] = rows[row][column];
      }
  }
}

void storeMatrices(const Site &site, const Lanes &lanes) {
  bool isTransposed = llvm::StringRef(site.name).contains(".trans");
  for (int matrix = 0; matrix < site.numbers[2]; ++matrix) {
    uint16_t *rows[8];
    for (int row = 0; row < 8; ++row)
      rows[row] = reinterpret_cast<uint16_t *>(
          rowOf(site, lanes, matrix, row, Access::Store));
    for (int lane = 0; lane < 32; ++lane)
      for (int half = 0; half < 2; ++half) {
        auto [row, column] = elementOf(lane, half, isTransposed);
        auto pair = lanes.operand<uint32_t>(lane, 1 + matrix);
        rows[row][column] = pair >> (16 * half);
      }
  }
}

//===----------------------------------------------------------------------===//
// mma.sync: 16 x K by K x 8, four elements of the sum a lane
//===----------------------------------------------------------------------===//

template <typename Sum> struct Product {
  Sum a[16][64], b[64][8], c[16][8];

  void run(int depth) {
    for (auto [row, sums] : llvm::enumerate(c))
      for (int k = 0; k < depth; ++k)
        for (int column = 0; column < 8; ++column)
          sums[column] += a[row][k] * b[k][column];
  }
};

/// An element of the sums that a lane holds.
Element sumOf(int lane, int i) {
  return {(lane >> 2) + (i >> 1) * 8, (lane & 3) * 2 + (i & 1)};
}

/// The registers of a lane hold `each` elements of 4 bytes together.
template <typename Sum>
int gatherOperands(const Lanes &lanes, Product<Sum> &product, int depth,
                   Number type) {
  int size = bytesOf(type), each = 4 / size;
  int ofA = 16 * depth / 32 / each, ofB = 8 * depth / 32 / each;
  for (int lane = 0; lane < 32; ++lane) {
    int across = lane >> 2, along = lane & 3;
    const Slot *operands = lanes.first[lane].operands;
    for (int i = 0; i < ofA; ++i)
      for (int e = 0; e < each; ++e)
        product
            .a[across + (i & 1) * 8][along * each + e + (i >> 1) * 4 * each] =
            widen(operands[i].bytes + e * size, type);
    for (int i = 0; i < ofB; ++i)
      for (int e = 0; e < each; ++e)
        product.b[along * each + e + i * 4 * each][across] =
            widen(operands[ofA + i].bytes + e * size, type);
  }
  return ofA + ofB;
}

void multiplyFloats(const Site &site, const Lanes &lanes, Number type,
                    bool isHalf) {
  static Product<float> product;
  int depth = site.numbers[2];
  int first = gatherOperands(lanes, product, depth, type);
  auto forEachSum = [&](auto visit) {
    for (int lane = 0; lane < 32; ++lane)
      for (int i = 0; i < 4; ++i) {
        auto [row, column] = sumOf(lane, i);
        visit(lane, i, product.c[row][column]);
      }
  };
  forEachSum([&](int lane, int i, float &sum) {
    const Slot *slots = lanes.first[lane].operands + first;
    sum = isHalf ? widen(slots[i / 2].bytes + 2 * (i & 1), Number::Float16)
                 : slots[i].get<float>();
  });
  product.run(depth);
  forEachSum([&](int lane, int i, float sum) {
    if (isHalf)
      lanes.result<uint16_t>(lane)[i] = narrow(sum, Number::Float16);
    else
      lanes.result<float>(lane)[i] = sum;
  });
}

void multiplyIntegers(const Site &site, const Lanes &lanes, Number type) {
  static Product<int32_t> product;
  int depth = site.numbers[2];
  int first = gatherOperands(lanes, product, depth, type);
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      auto [row, column] = sumOf(lane, i);
      product.c[row][column] = lanes.operand<int32_t>(lane, first + i);
    }
  product.run(depth);
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      auto [row, column] = sumOf(lane, i);
      lanes.result<int32_t>(lane)[i] = product.c[row][column];
    }
}

/// 8 x 4 by 4 x 8 of doubles.
void multiplyDoubles(const Site &, const Lanes &lanes) {
  double a[8][4], b[4][8];
  for (int lane = 0; lane < 32; ++lane) {
    a[lane >> 2][lane & 3] = lanes.operand<double>(lane, 0);
    b[lane & 3][lane >> 2] = lanes.operand<double>(lane, 1);
  }
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 2; ++i) {
      double sum = lanes.operand<double>(lane, 2 + i);
      for (int k = 0; k < 4; ++k)
        sum += a[lane >> 2][k] * b[k][(lane & 3) * 2 + i];
      lanes.result<double>(lane)[i] = sum;
    }
}

void multiply(const Site &site, const Lanes &lanes) {
  llvm::StringRef types = llvm::StringRef(site.name).split(".row.col.").second;
  if (site.numbers[0] == 8 && types.starts_with("f64"))
    return multiplyDoubles(site, lanes);
  bool isKnown = site.numbers[0] == 16 && site.numbers[1] == 8 &&
                 site.numbers[2] <= 64 && !types.contains("e4m3") &&
                 !types.contains("e5m2") && !types.contains("f64");
  if (!isKnown)
    block->fail(site,
                "the emulator does not know the instruction " + site.name);
  if (types.contains("u8") || types.contains("s8"))
    return multiplyIntegers(
        site, lanes, types.contains("u8") ? Number::UInt8 : Number::Int8);
  if (types.contains("tf32"))
    return multiplyFloats(site, lanes, Number::Tf32, false);
  if (types.contains("bf16"))
    return multiplyFloats(site, lanes, Number::BFloat16, false);
  multiplyFloats(site, lanes, Number::Float16, types.starts_with("f16"));
}

template <void (*perform)(const Site &, const Lanes &)>
void aligned(const Site &site, Slot *operands, void *result) {
  gatherAligned(site, operands, result, perform);
}

} // namespace

void weft::emulator::addMatrices(Handlers &handlers) {
  handlers.addFamily("ldmatrix.sync.aligned.m8n8.", aligned<loadMatrices>);
  handlers.addFamily("stmatrix.sync.aligned.m8n8.", aligned<storeMatrices>);
  handlers.addFamily("mma.", aligned<multiply>);
}
