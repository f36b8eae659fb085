/* What the parts of the extension share: what a clean baseline JPEG holds, and the tables that its codes come from.

   `_jpeg_scan.c` reads, `_jpeg_rotate.c` writes rotated, `_jpeg.c` is the module. All of them accept or decline: what is unusual or
   damaged, libjpeg reads or rotates instead. */

#ifndef IMAGERECORDS_JPEG_H
#define IMAGERECORDS_JPEG_H

#include <stddef.h>
#include <stdint.h>

#if defined(_MSC_VER)
#define PER_THREAD __declspec(thread)
#define INLINE static __forceinline
#define RARELY(condition) (condition)
#else
#define PER_THREAD _Thread_local
#define INLINE static inline __attribute__((always_inline))
#define RARELY(condition) __builtin_expect(!!(condition), 0)
#endif

enum {
    LONGEST_CODE = 16,
    MOST_SYMBOLS = 256,
    BLOCK = 64,          /* coefficients */
    MOST_DC_BITS = 11,   /* of a difference, and of a coefficient, with samples of 8 bits (T.81, tables F.1 and F.2) */
    MOST_AC_BITS = 10,
    ZERO_RUN = 0xF0,     /* sixteen zeros */
    SIZE_SHIFT = 12,
    COMPONENTS = 3
};

enum { SOF0 = 0xC0, DHT = 0xC4, RST0 = 0xD0, SOI = 0xD8, EOI = 0xD9, SOS = 0xDA, DQT = 0xDB, DRI = 0xDD, APP0 = 0xE0, APP14 = 0xEE,
       APP15 = 0xEF, COM = 0xFE };

/* How a table's codes are defined: the number of codes of each length, then the symbols. */
typedef struct {
    const uint8_t *definition; /* in the JPEG; NULL: none */
    int size;
} Definition;

typedef struct {
    uint32_t height, width;
    int components, across, down; /* luma's sampling; chroma has 1 × 1 */
    uint32_t columns, rows;       /* of MCUs */
    uint32_t interval;            /* MCUs between restarts, 0: none */
    Definition dc[COMPONENTS], ac[COMPONENTS];
    int step_table[COMPONENTS];
    const uint8_t *steps[COMPONENTS]; /* of quantisation, in zigzag order */
    size_t scan;                      /* where the entropy-coded data begins */
} Header;

/* The coefficients of all blocks. Of each block there is first an entry with its DC coefficient, and in the upper half how many AC
   coefficients are not 0. Then there is one for each of these: its number in zigzag order in the upper half, how many bits its code
   has behind it, from SIZE_SHIFT on, and these bits. */
typedef struct {
    uint32_t *first[COMPONENTS]; /* the number of a block's first entry, by component, row by row */
    uint32_t *entries;
    size_t count, most;
} Blocks;

/* Everything up to the entropy-coded data; 0 where anything is unusual. */
int read_header(const uint8_t *data, size_t size, Header *header);

/* Luma's picture at 1/8 scale, ceil(height / 8) × ceil(width / 8) bytes that the caller frees; NULL where the JPEG is declined. All
   coefficients are put into `blocks`, unless that is NULL; it is full where it has not room for another block. */
uint8_t *read_scan(const uint8_t *data, size_t size, const Header *header, Blocks *blocks);

/* A JPEG that is upright, of one with an EXIF orientation of 2 to 8, in *written bytes that the caller frees, and the stored
   picture at 1/8 scale; NULL where it is declined. */
uint8_t *rotate_jpeg(const uint8_t *data, size_t size, const Header *header, int orientation, size_t *written, uint8_t **grey);

#endif
