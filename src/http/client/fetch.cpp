#include "http/client/fetch.hpp"

#include <cstddef>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "io/task.hpp"

namespace meridian::http {
namespace {

io::Task<Result<Fetched>> FetchAll(Client& client, const Request& request, size_t max_body_bytes) {
  Sent sent = co_await client.Send(request);
  if (!sent) co_return Fail(std::move(sent.error().error));
  Fetched fetched;
  do {
    auto head = co_await sent->ReadHead();
    if (!head) co_return Fail(std::move(head.error()));
    fetched.status = (*head)->status;
  } while (sent->head().is_interim());
  for (;;) {
    Result<Bytes> data = co_await sent->ReadBody();
    if (!data) co_return Fail(std::move(data.error()));
    if (data->empty()) co_return fetched;
    if (data->size() > max_body_bytes - fetched.body.size()) {
      co_return Fail(Errc::kTooLarge, "the answer has more than {} bytes", max_body_bytes);
    }
    fetched.body += AsText(*data);
  }
}

}  // namespace

io::Task<Result<Fetched>> Fetch(Client& client, const Request& request, size_t max_body_bytes,
                                TimePoint deadline) {
  co_return co_await io::Within(deadline, FetchAll(client, request, max_body_bytes));
}

}  // namespace meridian::http
