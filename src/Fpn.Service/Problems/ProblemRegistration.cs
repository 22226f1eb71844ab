namespace Fpn.Service.Problems;

/// <summary>Failures as HTTP.</summary>
internal static class ProblemRegistration
{
    /// <summary>Registers the handler of exceptions, and how JSON is escaped.</summary>
    public static WebApplicationBuilder AddProblems(this WebApplicationBuilder builder)
    {
        builder.Services
            .ConfigureHttpJsonOptions(options => options.SerializerOptions.Encoder = ReadableEncoder.Instance)
            .AddExceptionHandler<FailureHandler>();
        return builder;
    }

    /// <summary>Turns failures and bare statuses (404, 405 …) into problems.</summary>
    public static WebApplication UseProblems(this WebApplication app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = _ => Task.CompletedTask,
            AllowStatusCode404Response = true,
        });
        app.UseStatusCodePages(context =>
        {
            var http = context.HttpContext;
            var problem = http.Response.StatusCode switch
            {
                StatusCodes.Status404NotFound => Problem.NotFound(http.Request),
                StatusCodes.Status405MethodNotAllowed => Problem.MethodNotAllowed(http.Request.Method),
                var status => Problem.FromStatus(status),
            };
            return new ProblemResult(problem).ExecuteAsync(http);
        });
        return app;
    }
}
