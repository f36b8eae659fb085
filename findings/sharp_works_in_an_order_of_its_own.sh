#!/bin/bash
# sharp does what it is asked for in an order of its own: it pads behind resizing and flips before it rotates.
#
# One would guess: sharp(photo).rotate(90).flip() rotates and then flips, and sharp(photo).extend(...).resize(4, 4) pads a
# picture to a square and then reduces that to 4 by 4, since the calls form a chain.
# What happens: a chain of calls is a set of switches, and the work is done in a fixed order. rotate(90).flip() gives the very
# pixels of flip().rotate(90), which are those of a picture turned by half from what was asked. extend().resize(4, 4), of 8 by 4
# pixels with 4 more rows, is 4 by 8: resized first, padded by the full number afterwards. negate().linear(0.5, 0) is
# linear(0.5, 0).negate(): black comes out as 255 where half of white, 128, was asked for. Of rotate(90).rotate(90) one is
# done. Nothing warns. A picture that is written between two calls keeps their order.
# Versions: sharp 0.35.5.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund sharp@0.35.5 || { echo "could not install the packages" >&2; exit 2; }

cat >order.js <<'JAVASCRIPT'
const sharp = require('sharp');

const raw = (pixels, width, height) => sharp(Buffer.from(pixels), {raw: {width, height, channels: 1}});
const small = () => raw([1, 2, 3, 4, 5, 6], 3, 2);
const wide = () => raw(Array(32).fill(100), 8, 4);
const black = () => raw([0, 0, 0, 0], 2, 2);

async function seen(image) {
  const {data, info} = await image.toColourspace('b-w').raw().toBuffer({resolveWithObject: true});
  return `${info.width}x${info.height}: ${[...data]}`;
}

async function between(image, then) {
  const {data, info} = await image.toColourspace('b-w').raw().toBuffer({resolveWithObject: true});
  return seen(then(raw(data, info.width, info.height)));
}

async function main() {
  const pad = {top: 0, bottom: 4, left: 0, right: 0, background: '#fff'};
  const found = {
    flipped: await seen(small().flip().rotate(90)),
    rotated: await seen(small().rotate(90).flip()),
    step: await between(small().rotate(90), image => image.flip()),
    padded: await seen(wide().extend(pad).resize(4, 4, {fit: 'fill'})),
    negated: await seen(black().negate().linear(0.5, 0)),
    halved: await seen(black().linear(0.5, 0).negate()),
    twice: await seen(small().rotate(90).rotate(90)),
    once: await seen(small().rotate(90)),
  };
  console.log(`flip, then rotate by 90:           ${found.flipped}`);
  console.log(`rotate by 90, then flip:           ${found.rotated}`);
  console.log(`the same with pixels in between:   ${found.step}`);
  console.log(`8x4 padded to 8x8, then 4x4:       ${found.padded}`);
  console.log(`black, negated, then halved:       ${found.negated}`);
  console.log(`black, halved, then negated:       ${found.halved}`);
  console.log(`rotated by 90 twice, and once:     ${found.twice}, ${found.once}`);
  const holds = found.rotated === '2x3: 1,4,2,5,3,6' && found.flipped === found.rotated && found.step === '2x3: 6,3,5,2,4,1' &&
    found.padded.startsWith('4x8') && found.negated === '2x2: 255,255,255,255' && found.halved === found.negated &&
    found.twice === found.once;
  process.exit(holds ? 0 : 1);
}
main();
JAVASCRIPT
node order.js
