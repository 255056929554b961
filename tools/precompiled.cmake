# Precompiled headers: the standard library's, fmt's, and those of ours that nearly every unit of a floor includes and
# that seldom change. A target names one set with target_precompile_headers(TARGET REUSE_FROM precompiled_SET).
# A unit still includes what it uses: clang-tidy (misc-include-cleaner) reads each unit without them.

set(standard_headers
  <algorithm> <array> <atomic> <bit> <charconv> <chrono> <compare> <concepts> <cstddef> <cstdint> <cstring> <deque>
  <expected> <filesystem> <functional> <initializer_list> <iterator> <limits> <map> <memory> <mutex> <optional> <set>
  <span> <string> <string_view> <system_error> <unordered_map> <utility> <variant> <vector>
  <fmt/core.h> <fmt/format.h>)
set(pure_headers ${standard_headers}
  [["base/bytes.hpp"]] [["base/check.hpp"]] [["base/clock.hpp"]] [["base/hybrid_clock.hpp"]] [["base/ip.hpp"]]
  [["base/random.hpp"]] [["base/result.hpp"]])
set(io_headers ${pure_headers} <coroutine>
  [["base/log.hpp"]] [["base/metrics.hpp"]]
  [["io/file/disk.hpp"]] [["io/net/network.hpp"]] [["io/scope.hpp"]] [["io/net/socket.hpp"]] [["io/task.hpp"]]
  [["io/net/tls.hpp"]] [["io/wait_queue.hpp"]])
set(site_headers ${io_headers}
  [["http/client/client.hpp"]] [["http/exchange.hpp"]] [["http/server/server.hpp"]]
  [["site/site.hpp"]] [["site/tier/tier_process.hpp"]] [["site/view/view.hpp"]])

# All of them: what compiles a header by itself needs them.
add_custom_target(precompiled)

# meridian_precompiled(SET header...)
function(meridian_precompiled SET)
  add_library(precompiled_${SET} OBJECT ${CMAKE_SOURCE_DIR}/tools/precompiled.cpp)
  target_link_libraries(precompiled_${SET} PRIVATE fmt::fmt)
  target_precompile_headers(precompiled_${SET} PRIVATE ${ARGN})
  add_dependencies(precompiled precompiled_${SET})
endfunction()

# Tests are not optimized: they are run about once for each time that they are compiled. Under a sanitizer they are, as
# everything else: there it costs the compiler nothing, and saves most of their time.
set(test_options "")
if(NOT MERIDIAN_SANITIZE)
  set(test_options -O0)
endif()
meridian_precompiled(pure ${pure_headers})
meridian_precompiled(io ${io_headers})
meridian_precompiled(site ${site_headers})
if(GTest_FOUND)
  foreach(set io site)
    meridian_precompiled(${set}_tests ${${set}_headers} <gtest/gtest.h> <gmock/gmock.h>)
    target_link_libraries(precompiled_${set}_tests PRIVATE GTest::gtest GTest::gmock)
    target_compile_options(precompiled_${set}_tests PRIVATE ${test_options})
  endforeach()
endif()

# meridian_test_options(TARGET SET): what a test program is compiled with.
function(meridian_test_options TARGET SET)
  if(SET STREQUAL "pure")
    set(SET io)
  endif()
  target_precompile_headers(${TARGET} REUSE_FROM precompiled_${SET}_tests)
  target_compile_options(${TARGET} PRIVATE ${test_options})
endfunction()
