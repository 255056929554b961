// The response to a Fetch request: heads in memory, batches straight from their segment files. Any
// thread.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/response.hpp"
#include "queue/server/server_metrics.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/fetch.hpp"

namespace meridian::queue {

// False: the request names a fetch session (KIP-227), which we make none of; its response has an
// error and no partitions.
bool MayFetch(const wire::kafka::FetchRequest& request);

// `fetched`: of the partitions of the request, in its order. kTooLarge.
Result<Response> FetchResponseOf(const wire::kafka::RequestHeader& header,
                                 const wire::kafka::FetchRequest& request,
                                 std::vector<FetchedPartition> fetched, ServerMetrics& metrics);

}  // namespace meridian::queue
