/* A clean baseline JPEG made upright: its blocks change places, and the coefficients in them places and signs.

   What it writes is libjpeg's, to the byte (a transform without metadata and restarts, with codes made for the picture); beyond the picture's edge a block repeats the DC coefficient of the one before. It declines what would have to be cut, and pictures
   in which most coefficients are not 0, for which libjpeg takes less memory.

   Coefficients go through one list of those that are not 0, and from there, in the order in which blocks are written, into a list of
   tokens: which table, the symbol, and the bits behind its code. Bounds: a block makes at most MORE_TOKENS tokens more than it has
   entries, and a token at most TOKEN_BYTES bytes. */

#include <stdlib.h>
#include <string.h>

#include "_jpeg.h"

enum {
    MORE_TOKENS = 4,    /* three runs of zeros, and the end */
    TOKEN_BYTES = 8,    /* 27 bits, each byte with a stuffed one */
    HEADER_BYTES = 2048,
    SIDE = 8,           /* of a block */
    CHROMA = 2,         /* is added to a table's number, AC to that of an AC table */
    AC = 1,
    TABLES = 4,
    SYMBOLS = TABLES << 8,
    LONGEST_UNLIMITED = 32 /* bits of a code before those of more than 16 are shortened */
};

/* Which pictures are exchanged in rows and columns, and then mirrored and turned upside down, by orientation. */
static const struct {
    uint8_t exchanged, mirrored, flipped;
} OPERATIONS[] = {{0}, {0}, {0, 1, 0}, {0, 1, 1}, {0, 0, 1}, {1, 0, 0}, {1, 1, 0}, {1, 1, 1}, {1, 0, 1}};

static const uint8_t ZIGZAG[BLOCK] = {0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
                                      41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
                                      30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

/* What is made of the stored picture; where each coefficient goes, in zigzag order, and whether its sign changes. */
typedef struct {
    uint32_t height, width, columns, rows;
    int exchanged, mirrored, flipped, across, down;
    uint8_t place[BLOCK];
    uint32_t negative[BLOCK]; /* all bits where the sign changes */
} Upright;

typedef struct {
    uint64_t bits;
    int count;
    uint8_t *at;
} Writer;

/* ---- Places ---- */

#if defined(_MSC_VER)
#include <intrin.h>
INLINE int lowest_one(uint64_t bits) {
    unsigned long found;
    return _BitScanForward(&found, (unsigned long)bits) ? (int)found : (_BitScanForward(&found, (unsigned long)(bits >> 32)), (int)found + 32);
}
INLINE int bits_of(uint32_t value) {
    unsigned long found;
    return _BitScanReverse(&found, value) ? (int)found + 1 : 0;
}
#else
INLINE int lowest_one(uint64_t bits) {
    return __builtin_ctzll(bits);
}
INLINE int bits_of(uint32_t value) {
    return value ? 32 - __builtin_clz(value) : 0;
}
#endif

/* 0 where a side that is mirrored ends within an MCU. */
static int plan(const Header *header, int orientation, Upright *upright) {
    uint8_t number[BLOCK];
    const int exchanged = OPERATIONS[orientation].exchanged;
    upright->exchanged = exchanged;
    upright->mirrored = OPERATIONS[orientation].mirrored;
    upright->flipped = OPERATIONS[orientation].flipped;
    upright->height = exchanged ? header->width : header->height;
    upright->width = exchanged ? header->height : header->width;
    upright->rows = exchanged ? header->columns : header->rows;
    upright->columns = exchanged ? header->rows : header->columns;
    upright->across = exchanged ? header->down : header->across;
    upright->down = exchanged ? header->across : header->down;
    for (int each = 0; each < BLOCK; each++)
        number[ZIGZAG[each]] = (uint8_t)each;
    for (int each = 0; each < BLOCK; each++) {
        const int row = exchanged ? ZIGZAG[each] % SIDE : ZIGZAG[each] / SIDE;
        const int column = exchanged ? ZIGZAG[each] / SIDE : ZIGZAG[each] % SIDE;
        const int backwards = (upright->mirrored && column % 2) != (upright->flipped && row % 2); /* cosines */
        upright->place[each] = number[SIDE * row + column];
        upright->negative[each] = backwards ? ~0u : 0;
    }
    return !(upright->mirrored && upright->width % (uint32_t)(SIDE * upright->across)) &&
           !(upright->flipped && upright->height % (uint32_t)(SIDE * upright->down));
}

/* ---- Tokens ---- */

INLINE uint32_t token_of(int table, int symbol, uint32_t bits) {
    return (uint32_t)(table << 24 | symbol << 16) | bits;
}

INLINE uint32_t ones(int count) {
    return (1u << count) - 1;
}

/* A block's AC coefficients. Another sign is other bits behind the same code. */
INLINE uint32_t *tokens_of_block(const Upright *upright, const uint32_t *entry, int table, uint32_t *token) {
    uint32_t values[BLOCK];
    uint64_t filled = 0;
    int before = 0;
    for (uint32_t left = *entry >> 16; left; left--) {
        const uint32_t number = *++entry >> 16, value = *entry & 0xFFFF, place = upright->place[number];
        values[place] = value ^ (upright->negative[number] & ones((int)(value >> SIZE_SHIFT)));
        filled |= (uint64_t)1 << place;
    }
    for (; filled; filled &= filled - 1) {
        const int place = lowest_one(filled);
        int zeros = place - before - 1;
        for (; RARELY(zeros >= 16); zeros -= 16)
            *token++ = token_of(table, ZERO_RUN, 0);
        *token++ = token_of(table, zeros << 4 | (int)(values[place] >> SIZE_SHIFT), values[place] & ones(SIZE_SHIFT));
        before = place;
    }
    if (before < BLOCK - 1)
        *token++ = token_of(table, 0, 0);
    return token;
}

/* Of one component, how many blocks are in an MCU, in all MCUs, and in the picture: what is left fills the last MCUs. */
typedef struct {
    size_t across, down, columns, rows, width, height;
} Grid;

static Grid grid_of(const Upright *upright, int component) {
    const size_t side_across = (size_t)(SIDE * upright->across), side_down = (size_t)(SIDE * upright->down);
    Grid grid;
    grid.across = component ? 1 : (size_t)upright->across;
    grid.down = component ? 1 : (size_t)upright->down;
    grid.columns = upright->columns * grid.across;
    grid.rows = upright->rows * grid.down;
    grid.width = (upright->width * grid.across + side_across - 1) / side_across;
    grid.height = (upright->height * grid.down + side_down - 1) / side_down;
    return grid;
}

/* The stored block that comes to a place of the upright picture. */
INLINE size_t stored(const Upright *upright, const Grid *grid, size_t row, size_t column) {
    row = upright->flipped ? grid->rows - 1 - row : row;
    column = upright->mirrored ? grid->columns - 1 - column : column;
    return upright->exchanged ? column * grid->rows + row : row * grid->columns + column;
}

/* The tokens of one component's blocks in an MCU; NULL where a DC coefficient is too far from the one before. */
INLINE uint32_t *tokens_of_mcu(const Upright *upright, const Blocks *blocks, int component, const Grid *grid, size_t mcu_row,
                               size_t mcu_column, int *dc, uint32_t *token) {
    const int table = component ? CHROMA : 0;
    for (size_t row = mcu_row * grid->down; row < (mcu_row + 1) * grid->down; row++)
        for (size_t column = mcu_column * grid->across; column < (mcu_column + 1) * grid->across; column++) {
            const uint32_t *entry;
            int difference, size, sign;
            if (RARELY(row >= grid->height || column >= grid->width)) {
                *token++ = token_of(table, 0, 0);
                *token++ = token_of(table + AC, 0, 0);
                continue;
            }
            entry = blocks->entries + blocks->first[component][stored(upright, grid, row, column)];
            difference = (int16_t)*entry - *dc;
            *dc += difference;
            sign = -(difference < 0);
            size = bits_of((uint32_t)((difference ^ sign) - sign));
            if (RARELY(size > MOST_DC_BITS))
                return NULL;
            *token++ = token_of(table, size, (uint32_t)(difference + sign) & ones(size));
            token = tokens_of_block(upright, entry, table + AC, token);
        }
    return token;
}

/* All tokens, in the order in which blocks are written, from `token` on; where they end, or NULL as above. */
static uint32_t *tokens_of(const Upright *upright, const Blocks *blocks, uint32_t *token) {
    const Grid luma = grid_of(upright, 0), chroma = grid_of(upright, 1);
    int dc[COMPONENTS] = {0};
    for (size_t row = 0; row < upright->rows; row++)
        for (size_t column = 0; column < upright->columns; column++)
            for (int each = 0; each < COMPONENTS; each++) {
                token = tokens_of_mcu(upright, blocks, each, each ? &chroma : &luma, row, column, &dc[each], token);
                if (RARELY(!token))
                    return NULL;
            }
    return token;
}

/* ---- Codes ---- */

/* How a table's codes are defined: the number of codes of each length, then the symbols. */
typedef struct {
    uint8_t definition[LONGEST_CODE + MOST_SYMBOLS];
    int size;
} Codes;

/* A definition of the codes for symbols of these frequencies, as libjpeg makes it (T.81, annex K.2): its size, or 0 where codes grow too
   long. */
static int define(const uint32_t *counted, uint8_t *definition) {
    int64_t frequencies[MOST_SYMBOLS + 1];
    int symbols[MOST_SYMBOLS + 1], lengths[MOST_SYMBOLS + 1] = {0}, others[MOST_SYMBOLS + 1], counts[LONGEST_UNLIMITED + 1] = {0};
    int used = 0, size = LONGEST_CODE;
    for (int symbol = 0; symbol <= MOST_SYMBOLS; symbol++) /* the last is none, so that no code is all ones */
        if (symbol == MOST_SYMBOLS || counted[symbol]) {
            frequencies[used] = symbol == MOST_SYMBOLS ? 1 : counted[symbol];
            others[used] = -1;
            symbols[used++] = symbol;
        }
    for (;;) {
        int rarest = -1, next = -1;
        for (int each = 0; each < used; each++) {
            if (!frequencies[each])
                continue;
            if (rarest < 0 || frequencies[each] <= frequencies[rarest]) {
                next = rarest;
                rarest = each;
            } else if (next < 0 || frequencies[each] <= frequencies[next]) {
                next = each;
            }
        }
        if (next < 0)
            break;
        frequencies[rarest] += frequencies[next];
        frequencies[next] = 0;
        for (lengths[rarest]++; others[rarest] >= 0; lengths[rarest]++)
            rarest = others[rarest];
        others[rarest] = next;
        for (lengths[next]++; others[next] >= 0; lengths[next]++)
            next = others[next];
    }
    for (int each = 0; each < used; each++) {
        if (lengths[each] > LONGEST_UNLIMITED)
            return 0;
        counts[lengths[each]]++;
    }
    for (int length = LONGEST_UNLIMITED; length > LONGEST_CODE; length--)
        while (counts[length]) {
            int shorter = length - 2;
            while (!counts[shorter])
                shorter--;
            counts[length] -= 2;
            counts[length - 1]++;
            counts[shorter + 1] += 2;
            counts[shorter]--;
        }
    for (int length = LONGEST_CODE; length; length--)
        if (counts[length]) {
            counts[length]--; /* the code of no symbol */
            break;
        }
    for (int length = 1; length <= LONGEST_CODE; length++)
        definition[length - 1] = (uint8_t)counts[length];
    for (int length = 1; length <= LONGEST_UNLIMITED; length++)
        for (int each = 0; each < used - 1; each++)
            if (lengths[each] == length)
                definition[size++] = (uint8_t)symbols[each];
    return size;
}

/* Of each symbol its code, with room for the bits behind it; shifted by 5, with the bits of both below. 0: no code. */
static void fill_codes(const uint8_t *definition, uint32_t *codes) {
    const uint8_t *symbol = definition + LONGEST_CODE;
    uint32_t code = 0;
    for (uint32_t length = 1; length <= LONGEST_CODE; length++, code <<= 1)
        for (int left = definition[length - 1]; left; left--, code++, symbol++) {
            const uint32_t size = *symbol & 15u;
            codes[*symbol] = code << size << 5 | (length + size);
        }
}

/* ---- Bytes ---- */

INLINE void put_bits(Writer *writer, uint32_t bits, int count) {
    writer->bits = writer->bits << count | bits;
    writer->count += count;
    if (writer->count >= 32) {
        const uint32_t word = (uint32_t)(writer->bits >> (writer->count -= 32));
        if (RARELY((~word - 0x01010101u) & word & 0x80808080u)) { /* a byte of ones */
            for (int shift = 24; shift >= 0; shift -= 8) {
                *writer->at++ = (uint8_t)(word >> shift);
                if ((uint8_t)(word >> shift) == 0xFF)
                    *writer->at++ = 0;
            }
        } else {
            writer->at[0] = (uint8_t)(word >> 24);
            writer->at[1] = (uint8_t)(word >> 16);
            writer->at[2] = (uint8_t)(word >> 8);
            writer->at[3] = (uint8_t)word;
            writer->at += 4;
        }
    }
}

/* Where the bits end, the last byte filled with ones. */
static uint8_t *put_tokens(const uint32_t *token, const uint32_t *behind, const uint32_t *codes, uint8_t *at) {
    Writer writer = {0, 0, at};
    for (; token < behind; token++) {
        const uint32_t code = codes[*token >> 16];
        put_bits(&writer, code >> 5 | (*token & 0xFFFF), (int)(code & 31));
    }
    while (writer.count > 0) {
        const int missing = writer.count < 8 ? 8 - writer.count : 0;
        const uint8_t byte = (uint8_t)(writer.bits << missing >> (writer.count + missing - 8) | ((1u << missing) - 1));
        *writer.at++ = byte;
        if (byte == 0xFF)
            *writer.at++ = 0;
        writer.count -= 8;
    }
    return writer.at;
}

static uint8_t *put_segment(uint8_t *at, int marker, const void *content, int size) {
    at[0] = 0xFF;
    at[1] = (uint8_t)marker;
    at[2] = (uint8_t)((size + 2) >> 8);
    at[3] = (uint8_t)(size + 2);
    memcpy(at + 4, content, (size_t)size);
    return at + 4 + size;
}

static uint8_t *put_header(uint8_t *at, const Header *header, const Upright *upright, const Codes *made) {
    static const uint8_t jfif[] = {'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0};
    static const uint8_t names[TABLES] = {0x00, 0x10, 0x01, 0x11};
    uint8_t frame[6 + 3 * COMPONENTS] = {8, (uint8_t)(upright->height >> 8), (uint8_t)upright->height, (uint8_t)(upright->width >> 8),
                                         (uint8_t)upright->width, COMPONENTS};
    uint8_t scan[1 + 2 * COMPONENTS + 3] = {COMPONENTS, 1, 0x00, 2, 0x11, 3, 0x11, 0, BLOCK - 1, 0};
    int written = 0;
    *at++ = 0xFF;
    *at++ = SOI;
    at = put_segment(at, APP0, jfif, sizeof jfif);
    for (int each = 0; each < COMPONENTS; each++) {
        const int number = header->step_table[each];
        uint8_t steps[1 + BLOCK];
        frame[6 + 3 * each] = (uint8_t)(each + 1);
        frame[7 + 3 * each] = (uint8_t)(each ? 0x11 : upright->across << 4 | upright->down);
        frame[8 + 3 * each] = (uint8_t)number;
        if (written >> number & 1)
            continue;
        written |= 1 << number;
        steps[0] = (uint8_t)number;
        for (int step = 0; step < BLOCK; step++)
            steps[1 + upright->place[step]] = header->steps[each][step];
        at = put_segment(at, DQT, steps, sizeof steps);
    }
    at = put_segment(at, SOF0, frame, sizeof frame);
    for (int each = 0; each < TABLES; each++) {
        uint8_t table[1 + LONGEST_CODE + MOST_SYMBOLS];
        table[0] = names[each];
        memcpy(table + 1, made[each].definition, (size_t)made[each].size);
        at = put_segment(at, DHT, table, 1 + made[each].size);
    }
    return put_segment(at, SOS, scan, sizeof scan);
}

/* ---- All of it ---- */

static uint8_t *write_upright(const Header *header, const Upright *upright, const Blocks *blocks, size_t all, size_t *written) {
    Codes made[TABLES];
    uint32_t counted[SYMBOLS] = {0}, codes[SYMBOLS] = {0};
    uint32_t *tokens = malloc((blocks->count + MORE_TOKENS * all) * sizeof *tokens), *behind = NULL;
    uint8_t *jpeg = NULL, *at = NULL;
    int defined = 1;
    if (tokens)
        behind = tokens_of(upright, blocks, tokens);
    if (behind)
        jpeg = malloc(HEADER_BYTES + (size_t)(behind - tokens) * TOKEN_BYTES);
    if (jpeg) {
        for (const uint32_t *token = tokens; token < behind; token++)
            counted[*token >> 16]++;
        for (int each = 0; each < TABLES; each++) {
            made[each].size = define(counted + (each << 8), made[each].definition);
            defined = defined && made[each].size;
        }
        if (defined) {
            for (int each = 0; each < TABLES; each++)
                fill_codes(made[each].definition, codes + (each << 8));
            at = put_tokens(tokens, behind, codes, put_header(jpeg, header, upright, made));
        }
    }
    free(tokens);
    if (!at) {
        free(jpeg);
        return NULL;
    }
    *at++ = 0xFF;
    *at++ = EOI;
    *written = (size_t)(at - jpeg);
    return jpeg;
}

uint8_t *rotate_jpeg(const uint8_t *data, size_t size, const Header *header, int orientation, size_t *written, uint8_t **grey) {
    const size_t mcus = (size_t)header->columns * header->rows, luma = mcus * (size_t)(header->across * header->down);
    const size_t all = luma + 2 * mcus, most = all * BLOCK / 2 + BLOCK;
    Blocks blocks = {{NULL}, NULL, 0, most};
    Upright upright;
    uint8_t *jpeg = NULL;
    *grey = NULL;
    if (header->components != COMPONENTS || all > 4 * (size - header->scan) || most > UINT32_MAX || !plan(header, orientation, &upright))
        return NULL;
    blocks.entries = malloc(most * sizeof *blocks.entries);
    blocks.first[0] = malloc(all * sizeof *blocks.first[0]);
    if (blocks.entries && blocks.first[0]) {
        blocks.first[1] = blocks.first[0] + luma;
        blocks.first[2] = blocks.first[1] + mcus;
        *grey = read_scan(data, size, header, &blocks);
    }
    if (*grey)
        jpeg = write_upright(header, &upright, &blocks, all, written);
    free(blocks.entries);
    free(blocks.first[0]);
    if (!jpeg) {
        free(*grey);
        *grey = NULL;
    }
    return jpeg;
}
