// A bloom filter (Bloom 1970; double hashing by Kirsch and Mitzenmacher 2006) of 64-bit hashes:
// says that a block does not have a token, or that it may. About 0.8% of the answers "may" are
// wrong, more where a filter would pass kMaxBloomBytes. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::watch {

// What a hash is of, so that a name of a tier is not taken for a word.
enum class BloomKind : uint8_t {
  kToken,
  kJoint,
  kTrace,
  kDc,
  kHost,
  kTier,
  kName,
  kInstance,
  kRelease
};

uint64_t BloomHash(BloomKind kind, std::string_view text);

class BloomBuilder {
 public:
  void Add(uint64_t hash);
  // The bytes of the filter of all that was added; then empty again.
  std::string Take();

 private:
  void Insert(uint64_t hash);

  std::vector<uint64_t> table_;  // open addressing; 0: free
  size_t count_ = 0;
};

// False: what made `filter` did not have `hash`. An empty filter is of an empty set.
bool MayContain(std::string_view filter, uint64_t hash);

}  // namespace meridian::watch
