// The older form of handler: with a callback, in CommonJS.
exports.answer = (event, context, callback) => {
  setTimeout(() => callback(null, { doubled: event.number * 2 }), 10);
};

exports.failure = (event, context, callback) => callback(new TypeError("by callback"));

// What still runs in the event loop is not waited for.
exports.early = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setTimeout(() => {}, 60000);
  callback(null, "early");
};
