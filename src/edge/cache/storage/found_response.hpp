// What the store finds for a request, and the conditions under which it stores a response.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "edge/cache/storage/stored_response.hpp"

namespace meridian::edge {

struct FoundResponse {
  std::shared_ptr<StoredResponse> response = {};  // null: a miss
  // Variants of the URL are stored: the found response, or on a miss others.
  bool has_url = false;
  // The Vary of `response`; on a miss, that of the URL's newest variant.
  std::string vary = {};
};

struct StoreConditions {
  // MemoryStore::mark before the response was requested: a purge since may forbid it.
  uint64_t mark = 0;
  // Becomes true when an unsafe request invalidates the response that is being fetched; may be
  // null. The loop that sets it then removes the key from the store: so the response is either not
  // stored or removed again.
  const std::atomic<bool>* forbidden = nullptr;
};

}  // namespace meridian::edge
