#include "http/exchange.hpp"

#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "wire/http/message.hpp"

namespace meridian::http {

io::Task<Result<void>> RespondText(Exchange& exchange, int status, std::string_view text) {
  const wire::http::HeaderField type{"Content-Type", "text/plain; charset=utf-8"};
  co_return co_await exchange.Respond({.status = status, .fields = {{&type, 1}}}, AsBytes(text));
}

}  // namespace meridian::http
