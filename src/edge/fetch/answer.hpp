// Sends a stored response to one visitor: whole, in parts, or as a 304; also while its body still
// arrives. A hit allocates, formats and copies nothing of the response; head and body leave in one
// write.
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
  // This visitor's reader while the body arrives; null: the body is complete.
  CoalescedFetch::Reader* reader = nullptr;
  // The value of Meridian-Path, for visitors who may ask for it; empty: no such field.
  std::string_view path = {};
  // The value of Access-Control-Allow-Origin when the response has none; empty: none is added.
  std::string_view own_origin = {};
  uint64_t nonce = 0;  // for the boundary of several parts
};

// A body that breaks off breaks the connection, so that it never looks whole.
io::Task<void> AnswerStored(http::Exchange& exchange, StoredAnswer answer);

// Sends an answer that the edge makes itself, with Cache-Status and, for 503, Retry-After, for 405,
// Allow. `text` outlives the task.
io::Task<void> AnswerHere(http::Exchange& exchange, int status, std::string_view text,
                          CacheStatus cache);

}  // namespace meridian::edge
