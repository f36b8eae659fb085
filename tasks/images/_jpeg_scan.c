/* A clean baseline JPEG's entropy-coded data: its grey picture at 1/8 scale, and its coefficients where they are wanted.

   It accepts or it declines. What it accepts, libjpeg reads without a warning and to the same bytes; whatever is unusual or damaged
   it declines, and libjpeg decides. So a code that no table has, one bit of data too much or too few, a marker that is not
   expected: all of them only end the walk.

   The picture at 1/8 scale is luma's DC terms (libjpeg's jpeg_idct_1x1). For it AC coefficients are only passed by: a look-up of some
   bits gives how many bits and coefficients to go on, for as many symbols as begin in these bits.

   Bounds: the data of each restart interval is copied without its stuffed bytes into a buffer with PAD zero bytes behind it. Before
   a block, the reader is at most READ_AHEAD bytes behind the data's end, and no block takes more than BLOCK_BYTES. */

#include <stdlib.h>
#include <string.h>

#include "_jpeg.h"

enum {
    PEEK = 11,           /* bits of a look-up */
    BLOCK_END = 128,     /* is added to the coefficient's number at an end-of-block code */
    READ_AHEAD = 8,
    BLOCK_BYTES = BLOCK * (LONGEST_CODE + MOST_DC_BITS) / 8,
    PAD = READ_AHEAD + BLOCK_BYTES + 8 + 32,
    TABLES = 2           /* per class, as in baseline */
};

/* A Huffman table, kept as long as a thread's JPEGs have the same one. */
typedef struct {
    int is_made, is_usual;
    int size;                            /* of the definition */
    uint8_t definition[LONGEST_CODE + MOST_SYMBOLS];
    uint32_t limit[LONGEST_CODE + 1];    /* the first 16 bits that are behind all codes of a length */
    int32_t offset[LONGEST_CODE + 1];    /* a symbol's index less its code */
    uint16_t code[1 << PEEK];            /* a symbol; shifted by 8: its code's length. 0: long code */
    uint16_t next[1 << PEEK];            /* bits to go on; shifted by 8: coefficients to go on, or a DC code's length. 0: long code */
} Table;

typedef struct {
    uint64_t bits; /* the next ones on the left */
    int count;
    const uint8_t *at;
} Reader;

static PER_THREAD Table kept[2][TABLES]; /* DC, AC */

/* ---- Huffman tables ---- */

static int magnitude(int is_ac, int symbol) {
    return is_ac ? symbol & 15 : symbol;
}

static int is_usual_symbol(int is_ac, int symbol) {
    if (!is_ac)
        return symbol <= MOST_DC_BITS;
    return (symbol & 15) <= MOST_AC_BITS && ((symbol & 15) || symbol == 0 || symbol == ZERO_RUN);
}

static int coefficients_of(int symbol) {
    return symbol ? (symbol >> 4) + 1 : BLOCK_END;
}

/* Fill what is derived from the definition. 0 where the table is none, or an unusual one. */
static int make_table(Table *table, int is_ac) {
    const uint8_t *symbols = table->definition + LONGEST_CODE;
    uint8_t lengths[1 << PEEK], found[1 << PEEK];
    uint32_t code = 0;
    int index = 0;

    memset(lengths, 0, sizeof lengths);
    memset(table->next, 0, sizeof table->next);
    memset(table->code, 0, sizeof table->code);
    for (int length = 1; length <= LONGEST_CODE; length++) {
        table->offset[length] = index - (int32_t)code;
        for (int left = table->definition[length - 1]; left; left--, code++, index++) {
            if (code >= (1u << length) - 1 || !is_usual_symbol(is_ac, symbols[index]))
                return 0; /* no code is all ones */
            if (length <= PEEK) {
                uint32_t first = code << (PEEK - length), count = 1u << (PEEK - length);
                memset(lengths + first, length, count);
                memset(found + first, symbols[index], count);
            }
        }
        table->limit[length] = code << (LONGEST_CODE - length);
        code <<= 1;
    }
    for (uint32_t peeked = 0; peeked < 1u << PEEK; peeked++) {
        int bits = lengths[peeked], ahead;
        if (!bits)
            continue;
        table->code[peeked] = (uint16_t)(found[peeked] | bits << 8);
        bits += magnitude(is_ac, found[peeked]);
        if (!is_ac) {
            table->next[peeked] = (uint16_t)(bits | lengths[peeked] << 8);
            continue;
        }
        ahead = coefficients_of(found[peeked]);
        while (ahead < BLOCK_END && bits < PEEK) {
            uint32_t rest = peeked << bits & ((1u << PEEK) - 1);
            int length = lengths[rest], more = coefficients_of(found[rest]);
            if (!length || length > PEEK - bits || (more < BLOCK_END && ahead + more > BLOCK))
                break;
            bits += length + magnitude(is_ac, found[rest]);
            ahead += more;
        }
        table->next[peeked] = (uint16_t)(bits | ahead << 8);
    }
    return 1;
}

static const Table *table_of(const Definition *wanted, int is_ac, int slot) {
    Table *table = &kept[is_ac][slot];
    if (!wanted->definition)
        return NULL;
    if (!table->is_made || table->size != wanted->size || memcmp(table->definition, wanted->definition, (size_t)wanted->size)) {
        table->size = wanted->size;
        memcpy(table->definition, wanted->definition, (size_t)wanted->size);
        table->is_usual = make_table(table, is_ac);
        table->is_made = 1;
    }
    return table->is_usual ? table : NULL;
}

/* ---- Bits ---- */

/* Afterwards there are 56 bits or more. */
INLINE void refill(Reader *reader) {
    const uint8_t *at = reader->at;
    uint64_t more;
#if defined(__GNUC__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&more, at, sizeof more);
    more = __builtin_bswap64(more);
#else
    more = (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 | (uint64_t)at[3] << 32 | (uint64_t)at[4] << 24 |
           (uint64_t)at[5] << 16 | (uint64_t)at[6] << 8 | at[7];
#endif
    reader->bits |= more >> reader->count;
    reader->at += (63 - reader->count) >> 3;
    reader->count |= 56;
}

INLINE void drop(Reader *reader, int count) {
    reader->bits <<= count;
    reader->count -= count;
}

/* One symbol, and how long its code is; -1 where there is none. */
static int symbol_of(const Table *table, uint64_t bits, int *length) {
    uint32_t peeked = (uint32_t)(bits >> (64 - LONGEST_CODE));
    for (int tried = 1; tried <= LONGEST_CODE; tried++)
        if (peeked < table->limit[tried]) {
            int32_t index = table->offset[tried] + (int32_t)(peeked >> (LONGEST_CODE - tried));
            *length = tried;
            return table->definition[LONGEST_CODE + (index & (MOST_SYMBOLS - 1))];
        }
    return -1;
}

/* ---- Blocks ---- */

/* A DC difference, read; 0 where there is no such code. */
INLINE int read_difference(Reader *reader, const Table *table, int *difference) {
    int next, length, size;
    refill(reader);
    next = table->next[reader->bits >> (64 - PEEK)];
    if (RARELY(!next)) {
        int symbol = symbol_of(table, reader->bits, &length);
        if (symbol < 0)
            return 0;
        next = length + symbol;
    } else {
        length = next >> 8;
        next &= 255;
    }
    size = next - length;
    if (difference) {
        uint64_t value = (reader->bits << length) >> 1;
        int read = (int)(value >> (63 - size));
        *difference = size && !(value >> 62) ? read - (1 << size) + 1 : read;
    }
    drop(reader, next);
    return 1;
}

/* Symbol by symbol to the end of a block. */
static int pass_slowly(Reader *reader, const Table *table, int coefficient) {
    while (coefficient < BLOCK) {
        int length, symbol;
        refill(reader);
        symbol = symbol_of(table, reader->bits, &length);
        if (symbol < 0)
            return 0;
        drop(reader, length + magnitude(1, symbol));
        coefficient += coefficients_of(symbol);
    }
    return coefficient == BLOCK || coefficient >= BLOCK_END;
}

/* The AC coefficients of a block; 0 where there is no such code, or more than 63. */
INLINE int pass_coefficients(Reader *reader, const Table *table) {
    int coefficient = 1, before;
    Reader last;
    for (;;) {
        int next;
        refill(reader);
        for (int twice = 0; twice < 2; twice++) {
            next = table->next[reader->bits >> (64 - PEEK)];
            last = *reader;
            before = coefficient;
            if (RARELY(!next)) {
                int length, symbol = symbol_of(table, reader->bits, &length);
                if (symbol < 0)
                    return 0;
                next = (length + magnitude(1, symbol)) | coefficients_of(symbol) << 8;
            }
            drop(reader, next & 255);
            coefficient += next >> 8;
            if (coefficient >= BLOCK)
                goto end;
        }
    }
end:
    /* Symbols that a look-up takes together may be of two blocks: then they are read one by one. */
    if (coefficient == BLOCK || (coefficient > BLOCK_END && coefficient < BLOCK_END + BLOCK))
        return 1;
    *reader = last;
    return pass_slowly(reader, table, before);
}

/* The AC coefficients of a block, kept from `entry` on; where the next entry goes, or NULL where there is no such code, or more than 63
   of them. */
INLINE uint32_t *keep_coefficients(Reader *reader, const Table *table, uint32_t *entry) {
    int coefficient = 1;
    for (;;) {
        refill(reader);
        for (int twice = 0; twice < 2; twice++) {
            int found = table->code[reader->bits >> (64 - PEEK)], length = found >> 8, symbol = found & 255, size;
            if (RARELY(!found) && RARELY((symbol = symbol_of(table, reader->bits, &length)) < 0))
                return NULL;
            size = symbol & 15;
            if (size) {
                coefficient += symbol >> 4;
                if (RARELY(coefficient >= BLOCK))
                    return NULL;
                *entry++ = (uint32_t)(coefficient++ << 16 | size << SIZE_SHIFT) | (uint32_t)(reader->bits << length >> (64 - size));
            } else if (symbol == ZERO_RUN) {
                coefficient += 16;
            }
            drop(reader, length + size);
            if (!symbol || coefficient == BLOCK)
                return entry;
            if (RARELY(coefficient > BLOCK))
                return NULL;
        }
    }
}

/* ---- Header ---- */

static int two_bytes(const uint8_t *at) {
    return at[0] << 8 | at[1];
}

/* Everything up to the entropy-coded data; 0 where anything is unusual. */
int read_header(const uint8_t *data, size_t size, Header *header) {
    Definition huffman[2][TABLES] = {{{NULL, 0}}};
    const uint8_t *quantisation[4] = {NULL}, *frame = NULL;
    size_t position = 2;

    memset(header, 0, sizeof *header);
    if (size < 4 || data[0] != 0xFF || data[1] != SOI)
        return 0;
    for (;;) {
        const uint8_t *content;
        int marker, length;
        if (size - position < 4 || data[position] != 0xFF)
            return 0;
        marker = data[position + 1];
        length = two_bytes(data + position + 2) - 2;
        content = data + position + 4;
        position += 4;
        if (length < 0 || size - position < (size_t)length)
            return 0;
        position += (size_t)length;
        if (marker == APP0) {
            if (length >= 14 && !memcmp(content, "JFIF", 5) && content[5] != 1)
                return 0;
        } else if (marker == APP14) {
            if (length >= 5 && !memcmp(content, "Adobe", 5) && (length < 12 || content[11] != 1))
                return 0; /* not YCbCr */
        } else if (marker == DQT) {
            if (!length || length % 65)
                return 0;
            for (; length; length -= 65, content += 65) {
                if (content[0] > 3)
                    return 0;
                quantisation[content[0]] = content + 1;
            }
        } else if (marker == DHT) {
            while (length) {
                int count = 0, id;
                if (length < 1 + LONGEST_CODE || (content[0] & 15) >= TABLES || content[0] >> 4 > 1)
                    return 0;
                id = *content++;
                for (int each = 0; each < LONGEST_CODE; each++)
                    count += content[each];
                length -= 1 + LONGEST_CODE + count;
                if (length < 0 || count > MOST_SYMBOLS)
                    return 0;
                huffman[id >> 4][id & 15] = (Definition){content, LONGEST_CODE + count};
                content += LONGEST_CODE + count;
            }
        } else if (marker == SOF0) {
            if (frame || length < 6 || content[0] != 8 || (content[5] != 1 && content[5] != 3) || length != 6 + 3 * content[5])
                return 0;
            frame = content;
        } else if (marker == DRI) {
            if (length != 2)
                return 0;
            header->interval = (uint32_t)two_bytes(content);
        } else if (marker == SOS) {
            if (!frame || length < 1 || content[0] != frame[5] || length != 4 + 2 * content[0])
                return 0;
            header->components = content[0];
            for (int each = 0; each < header->components; each++) {
                int chosen = content[2 + 2 * each];
                const uint8_t *component = frame + 6 + 3 * each;
                if (content[1 + 2 * each] != component[0] || chosen >> 4 >= TABLES || (chosen & 15) >= TABLES)
                    return 0;
                if (header->components == 3 && component[0] != each + 1)
                    return 0; /* other names may be another colour space */
                if (component[2] > 3 || !quantisation[component[2]] || (each && component[1] != 0x11))
                    return 0;
                header->step_table[each] = component[2];
                header->steps[each] = quantisation[component[2]];
                header->dc[each] = huffman[0][chosen >> 4];
                header->ac[each] = huffman[1][chosen & 15];
            }
            if (memcmp(content + length - 3, "\0\x3f", 3))
                return 0;
            break;
        } else if (marker != COM && (marker < APP0 || marker > APP15)) {
            return 0;
        }
    }
    header->height = (uint32_t)two_bytes(frame + 1);
    header->width = (uint32_t)two_bytes(frame + 3);
    header->across = frame[7] >> 4;
    header->down = frame[7] & 15;
    header->scan = position;
    if (!header->height || !header->width || header->height > 65500 || header->width > 65500)
        return 0;
    if (header->height <= 4 && header->width <= 4)
        return 0; /* one pixel at 1/4 scale too, which TurboJPEG then takes */
    if (header->components == 1 ? header->across != 1 || header->down != 1
                                : header->across < 1 || header->across > 2 || header->down < 1 || header->down > 2)
        return 0;
    header->columns = (header->width + 8u * (uint32_t)header->across - 1) / (8u * (uint32_t)header->across);
    header->rows = (header->height + 8u * (uint32_t)header->down - 1) / (8u * (uint32_t)header->down);
    return 1;
}

/* ---- The scan ---- */

/* Copy data up to the next marker without its stuffed bytes; where the marker is, or 0 where there is none. */
static size_t unstuff(const uint8_t *data, size_t size, size_t position, uint8_t *to, size_t *count) {
    uint8_t *began = to;
    while (position < size) {
        const uint8_t *found = memchr(data + position, 0xFF, size - position);
        size_t plain;
        if (!found || found + 1 == data + size)
            return 0;
        plain = (size_t)(found - data) - position;
        memcpy(to, data + position, plain);
        to += plain;
        position += plain;
        if (found[1]) {
            *count = (size_t)(to - began);
            return position;
        }
        *to++ = 0xFF;
        position += 2;
    }
    return 0;
}

typedef struct {
    const Table *dc[COMPONENTS], *ac[COMPONENTS];
    uint8_t *grey;  /* all blocks of luma */
    Blocks *blocks; /* NULL: coefficients are passed by */
} Walk;

/* A block's AC coefficients, kept together with its DC coefficient or passed by; 0 where there is no such code, or more than 63. */
INLINE int walk_coefficients(Reader *reader, const Table *table, Blocks *blocks, uint32_t *first, int dc) {
    uint32_t *entry, *behind;
    if (!blocks)
        return pass_coefficients(reader, table);
    if (RARELY(blocks->most - blocks->count < BLOCK))
        return 0;
    *first = (uint32_t)blocks->count;
    entry = blocks->entries + blocks->count;
    behind = keep_coefficients(reader, table, entry + 1);
    if (RARELY(!behind))
        return 0;
    *entry = (uint32_t)(behind - entry - 1) << 16 | (uint16_t)dc;
    blocks->count += (size_t)(behind - entry);
    return 1;
}

/* The MCUs of an interval; 0 where its bits are not exactly these. */
INLINE int walk_interval(const Header *header, const Walk *walk, Blocks *blocks, uint32_t begin, uint32_t after,
                         const uint8_t *buffer, size_t count) {
    Reader reader = {0, 0, buffer};
    const uint8_t *behind = buffer + count + READ_AHEAD;
    const int across = header->across, luma = across * header->down, components = header->components;
    const int step = header->steps[0][0];
    const size_t stride = (size_t)header->columns * (size_t)across;
    int dc[COMPONENTS] = {0};

    for (uint32_t mcu = begin; mcu < after; mcu++) {
        const size_t corner = (size_t)(mcu / header->columns) * (size_t)header->down * stride +
                              (size_t)(mcu % header->columns) * (size_t)across;
        for (int block = 0; block < luma; block++) {
            const size_t place = corner + (block >= across ? stride : 0) + (size_t)(block & (across - 1));
            int difference, value;
            if (RARELY(reader.at > behind) || RARELY(!read_difference(&reader, walk->dc[0], &difference)))
                return 0;
            dc[0] += difference;
            if (RARELY(dc[0] < -4096 || dc[0] > 4095))
                return 0;
            value = (dc[0] * step + 4) >> 3;
            if (RARELY(value < -512 || value > 511))
                return 0; /* libjpeg's table of limits goes on otherwise */
            value += 128;
            walk->grey[place] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
            if (RARELY(!walk_coefficients(&reader, walk->ac[0], blocks, blocks ? blocks->first[0] + place : NULL, dc[0])))
                return 0;
        }
        for (int each = 1; each < components; each++) {
            int difference = 0;
            if (RARELY(reader.at > behind) || RARELY(!read_difference(&reader, walk->dc[each], blocks ? &difference : NULL)))
                return 0;
            dc[each] += difference;
            if (RARELY(dc[each] < -4096 || dc[each] > 4095))
                return 0;
            if (RARELY(!walk_coefficients(&reader, walk->ac[each], blocks, blocks ? blocks->first[each] + mcu : NULL, dc[each])))
                return 0;
        }
    }
    {
        int64_t used = (int64_t)(reader.at - buffer) * 8 - reader.count, left = (int64_t)count * 8 - used;
        return left >= 0 && left < 8;
    }
}

/* The two kinds of walk, each compiled for itself: passing by is twice as fast. */
static int pass_interval(const Header *header, const Walk *walk, uint32_t begin, uint32_t after, const uint8_t *buffer, size_t count) {
    return walk_interval(header, walk, NULL, begin, after, buffer, count);
}

static int keep_interval(const Header *header, const Walk *walk, uint32_t begin, uint32_t after, const uint8_t *buffer, size_t count) {
    return walk_interval(header, walk, walk->blocks, begin, after, buffer, count);
}

static int walk_scan(const uint8_t *data, size_t size, const Header *header, const Walk *walk, uint8_t *buffer) {
    const uint32_t mcus = header->columns * header->rows;
    size_t position = header->scan;
    int restart = 0;
    for (uint32_t begin = 0, after; begin < mcus; begin = after) {
        size_t count;
        after = header->interval && header->interval < mcus - begin ? begin + header->interval : mcus;
        position = unstuff(data, size, position, buffer, &count);
        if (!position || data[position + 1] != (after == mcus ? EOI : RST0 + restart))
            return 0;
        memset(buffer + count, 0, PAD);
        if (!(walk->blocks ? keep_interval : pass_interval)(header, walk, begin, after, buffer, count))
            return 0;
        position += 2;
        restart = (restart + 1) & 7;
    }
    return 1;
}

uint8_t *read_scan(const uint8_t *data, size_t size, const Header *header, Blocks *blocks) {
    Walk walk = {{NULL}, {NULL}, NULL, blocks};
    uint8_t *buffer;
    uint64_t most;
    int ok = 0;

    for (int each = 0; each < header->components; each++) {
        const int slot = each > 0; /* luma's table and chroma's */
        if (each == 2 && (memcmp(&header->dc[2], &header->dc[1], sizeof header->dc[1]) ||
                          memcmp(&header->ac[2], &header->ac[1], sizeof header->ac[1])))
            return NULL;
        walk.dc[each] = table_of(&header->dc[each], 0, slot);
        walk.ac[each] = table_of(&header->ac[each], 1, slot);
        if (!walk.dc[each] || !walk.ac[each])
            return NULL;
    }
    most = (uint64_t)header->columns * header->rows * (uint64_t)(header->across * header->down + header->components - 1);
    if (most > 4 * (uint64_t)(size - header->scan))
        return NULL; /* a block has at least two bits */
    buffer = malloc(size - header->scan + PAD);
    walk.grey = malloc((size_t)most);
    if (buffer && walk.grey)
        ok = walk_scan(data, size, header, &walk, buffer);
    free(buffer);
    if (!ok) {
        free(walk.grey);
        return NULL;
    }
    {
        const size_t stride = (size_t)header->columns * (size_t)header->across;
        const size_t height = (header->height + 7) / 8, width = (header->width + 7) / 8;
        for (size_t row = 1; row < height; row++)
            memmove(walk.grey + row * width, walk.grey + row * stride, width);
    }
    return walk.grey;
}
