#include "http/whole_body.hpp"

#include <string>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"

namespace meridian::http {

io::Task<Result<std::string>> ReadWholeBody(Exchange& exchange) {
  std::string text;
  while (true) {
    Result<Bytes> data = co_await exchange.ReadBody();
    if (!data) co_return Fail(std::move(data.error()));
    if (data->empty()) co_return text;
    text += AsText(*data);
  }
}

}  // namespace meridian::http
