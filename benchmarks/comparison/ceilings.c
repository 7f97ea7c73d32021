// What a core does at most in one function each: multiplications and additions
// of a dtype, and bytes read, written and copied. Each function returns what it
// has done, in operations or bytes.
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <stdint.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__AVX512F__)
#define VECTOR 64
#elif defined(__AVX__)
#define VECTOR 32
#else
#define VECTOR 16
#endif

// What is written here is looked at by no one, and so is not left out.
volatile double sink;

// ---- arithmetic ----

// Ten chains hide the latency of a unit, and fit sixteen registers.
#define CHAINS 10

#define MULTIPLY_ADDS(NAME, TYPE)                                              \
  double NAME(long rounds) {                                                   \
    typedef TYPE Vector __attribute__((vector_size(VECTOR)));                  \
    const int lanes = VECTOR / sizeof(TYPE);                                   \
    Vector sums[CHAINS], factor = {0}, term = {0};                             \
    factor += (TYPE)0.999;                                                     \
    term += (TYPE)0.001;                                                       \
    for (int i = 0; i < CHAINS; ++i)                                           \
      sums[i] = term + (TYPE)i;                                                \
    for (long n = 0; n < rounds; ++n) {                                        \
      _Pragma("GCC unroll 10") for (int i = 0; i < CHAINS; ++i) sums[i] =      \
          sums[i] * factor + term;                                             \
    }                                                                          \
    for (int i = 0; i < CHAINS; ++i)                                           \
      sink = sums[i][0];                                                       \
    return 2.0 * lanes * CHAINS * rounds;                                      \
  }

MULTIPLY_ADDS(f32, float)
MULTIPLY_ADDS(f64, double)

// Products of 16-bit floats and of bytes: by tiles, else by vectors, else as
// f32.

#if defined(__AMX_BF16__) && defined(__AMX_INT8__)

static int allow_tiles(void) {
  const long request_permission = 0x1023, tile_data = 18;
  if (syscall(SYS_arch_prctl, request_permission, tile_data))
    return 0;
  struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } shapes = {.palette = 1};
  for (int i = 0; i < 8; ++i) {
    shapes.bytes[i] = 64;
    shapes.rows[i] = 16;
  }
  // GCC takes the instruction to read the first eight bytes alone.
  __asm__ volatile("" ::"r"(&shapes) : "memory");
  _tile_loadconfig(&shapes);
  _tile_zero(0); // A tile's number is part of the instruction.
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(6);
  _tile_zero(7);
  return 1;
}

#define TILE_PRODUCTS(NAME, INSTRUCTION, DEPTH, OTHERWISE)                     \
  double NAME(long rounds) {                                                   \
    if (!allow_tiles())                                                        \
      return OTHERWISE(rounds);                                                \
    for (long n = 0; n < rounds; ++n) {                                        \
      INSTRUCTION(0, 6, 7);                                                    \
      INSTRUCTION(1, 6, 7);                                                    \
      INSTRUCTION(2, 6, 7);                                                    \
      INSTRUCTION(3, 6, 7);                                                    \
    }                                                                          \
    _tile_release();                                                           \
    return 2.0 * 16 * 16 * DEPTH * 4 * rounds;                                 \
  }

TILE_PRODUCTS(bf16, _tile_dpbf16ps, 32, f32)
TILE_PRODUCTS(i8, _tile_dpbssd, 64, f32)

#else

double bf16(long rounds) {
#ifdef __AVX512BF16__
  __m512 sums[CHAINS];
  __m512bh one = (__m512bh)_mm512_set1_epi16(0x3f80);
  for (int i = 0; i < CHAINS; ++i)
    sums[i] = _mm512_setzero_ps();
  for (long n = 0; n < rounds; ++n) {
    _Pragma("GCC unroll 10") for (int i = 0; i < CHAINS; ++i) sums[i] =
        _mm512_dpbf16_ps(sums[i], one, one);
  }
  for (int i = 0; i < CHAINS; ++i)
    sink = sums[i][0];
  return 2.0 * 32 * CHAINS * rounds;
#else
  return f32(rounds);
#endif
}

double i8(long rounds) {
#ifdef __AVX512VNNI__
  __m512i sums[CHAINS], one = _mm512_set1_epi8(1);
  for (int i = 0; i < CHAINS; ++i)
    sums[i] = _mm512_setzero_si512();
  for (long n = 0; n < rounds; ++n) {
    _Pragma("GCC unroll 10") for (int i = 0; i < CHAINS; ++i) sums[i] =
        _mm512_dpbusd_epi32(sums[i], one, one);
  }
  for (int i = 0; i < CHAINS; ++i)
    sink = _mm512_reduce_add_epi32(sums[i]);
  return 2.0 * 64 * CHAINS * rounds;
#else
  return f32(rounds);
#endif
}

#endif

// ---- memory ----

typedef double Line __attribute__((vector_size(VECTOR)));

// All take the bytes of one buffer, a multiple of 1,024, in turns.

double read_bytes(long rounds, char *buffer, long bytes) {
  Line sums[8] = {{0}};
  for (long n = 0; n < rounds; ++n)
    for (const Line *at = (Line *)buffer; at < (Line *)(buffer + bytes);
         at += 8) {
      _Pragma("GCC unroll 8") for (int i = 0; i < 8; ++i) sums[i] += at[i];
    }
  for (int i = 0; i < 8; ++i)
    sink = sums[i][0];
  return (double)rounds * bytes;
}

double write_bytes(long rounds, char *buffer, long bytes) {
  for (long n = 0; n < rounds; ++n) {
    memset(buffer, n & 1, bytes);
    __asm__ volatile("" ::: "memory");
  }
  return (double)rounds * bytes;
}

// One half to the other, bytes read and written counted.
double copy_bytes(long rounds, char *buffer, long bytes) {
  for (long n = 0; n < rounds; ++n) {
    memcpy(buffer, buffer + bytes / 2, bytes / 2);
    __asm__ volatile("" ::: "memory");
  }
  return (double)rounds * bytes;
}

#ifdef __AVX512F__
// Past the caches, where memcpy does not go by itself.

double write_bytes_past(long rounds, char *buffer, long bytes) {
  const __m512i value = _mm512_set1_epi8(1);
  for (long n = 0; n < rounds; ++n)
    for (char *at = buffer; at < buffer + bytes; at += 64)
      _mm512_stream_si512((__m512i *)at, value);
  _mm_sfence();
  return (double)rounds * bytes;
}

double copy_bytes_past(long rounds, char *buffer, long bytes) {
  for (long n = 0; n < rounds; ++n)
    for (char *at = buffer; at < buffer + bytes / 2; at += 64)
      _mm512_stream_si512((__m512i *)at,
                          _mm512_load_si512((__m512i *)(at + bytes / 2)));
  _mm_sfence();
  return (double)rounds * bytes;
}
#else
double write_bytes_past(long rounds, char *buffer, long bytes) {
  return write_bytes(rounds, buffer, bytes);
}

double copy_bytes_past(long rounds, char *buffer, long bytes) {
  return copy_bytes(rounds, buffer, bytes);
}
#endif
