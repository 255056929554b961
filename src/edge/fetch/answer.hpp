// Answers from the cache: a stored response, whole or in parts, or a 304 in its place, to one
// visitor; also while its body is still arriving. The way of a hit: it allocates, formats and
// copies nothing that belongs to the response; head and body leave in one write.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "edge/cache/cache_status.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/fetch/coalesced_fetch.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"

namespace meridian::edge {

struct StoredAnswer {
  const CacheRequest& asked;
  std::shared_ptr<StoredResponse> response;
  CacheStatus status;
  // While the body arrives: who reads it. Null: it is complete.
  CoalescedFetch::Reader* reader = nullptr;
  // The value of Meridian-Path, for those who may ask for it; empty: none.
  std::string_view path = {};
  // Who may read it although it is another origin; empty: nobody beside those whom it names itself.
  std::string_view own_origin = {};
  uint64_t nonce = 0;  // for the boundary of several parts
};

// A body that breaks off breaks the connection, so that it never looks whole.
io::Task<void> AnswerStored(http::Exchange& exchange, StoredAnswer answer);

// An answer that is made here, with Cache-Status and, for 503, Retry-After, for 405, Allow. `text`
// outlives the task.
io::Task<void> AnswerHere(http::Exchange& exchange, int status, std::string_view text,
                          CacheStatus cache);

}  // namespace meridian::edge
